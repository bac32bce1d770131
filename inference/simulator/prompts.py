"""What the engine reads: text out of messages, and a deterministic count of its tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from inference.simulator import fields
from inference.simulator.prefix_cache import BYTES_PER_TOKEN
from inference.simulator.refusals import Refused

MESSAGE_TOKENS = 4
"""What each message costs on top of its text."""
IMAGE_TOKENS = 256
"""What each part of a message that is no text costs."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt as the engine sees it."""

    content: bytes
    """All of its text, with the roles, for the seed and the prefix cache."""
    tokens: int
    instruction: str
    """The text that may hold a directive."""


def of_messages(messages: object, tools: object = None) -> Prompt:
    """A chat's prompt, counted as 4 tokens a message, a token for 4 bytes of text (rounded up once) and 256 an image.

    Tools count as the text of their definitions. Raises Refused.
    """
    messages = require(messages)
    offered = orjson.dumps(tools).decode() if tools else ""
    rendered: list[str] = [offered] if offered else []
    instruction, size, tokens = "", len(offered.encode()), 0
    for message in messages:
        role, text, images = _read(message)
        rendered += (role, "\0", text, "\0")
        size += len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
        tokens += MESSAGE_TOKENS + images * IMAGE_TOKENS
        if role == "user":
            instruction = text
    content = "".join(rendered).encode("utf-8", "surrogatepass")
    return Prompt(content, tokens + -(-size // BYTES_PER_TOKEN), instruction)


def require(messages: object) -> list[Any]:
    """The messages, if they are a conversation. Raises Refused."""
    if messages is None:
        raise fields.invalid("messages", "Field required")
    if not isinstance(messages, list):
        raise fields.invalid("messages", "Input should be a valid list", "list_type")
    if not messages:
        raise Refused(400, "Cannot apply chat template to an empty conversation. Provide at least one message.")
    return messages


def of_completion(prompt: object) -> list[Prompt]:
    """The prompts of `/v1/completions`: a text, token ids, or a list of either. Raises Refused."""
    if isinstance(prompt, str) and prompt:
        return [of_text(prompt)]
    if isinstance(prompt, list) and prompt:
        if all(isinstance(item, str) for item in prompt):
            return [of_text(item) for item in prompt]
        if all(isinstance(item, int) for item in prompt):
            return [of_tokens(prompt)]
        if all(isinstance(item, list) and item for item in prompt):
            return [of_tokens(item) for item in prompt]
    raise Refused(400, "Either prompt or prompt_embeds must be provided and non-empty.", param="prompt")


def of_text(text: str) -> Prompt:
    """One text, a token for 4 bytes and at least one."""
    content = text.encode("utf-8", "surrogatepass")
    return Prompt(content, max(1, -(-len(content) // BYTES_PER_TOKEN)), text)


def of_tokens(ids: Sequence[int]) -> Prompt:
    """Token ids: each is a token."""
    return Prompt(orjson.dumps(ids), len(ids), "")


def _read(message: object) -> tuple[str, str, int]:
    """A message's role, its text, and how many of its parts are no text."""
    if not isinstance(message, dict) or not isinstance(role := message.get("role"), str):
        raise Refused(400, "messages: each message is an object with a role", param="messages")
    content: Any = message.get("content")
    calls = message.get("tool_calls")
    called = orjson.dumps(calls).decode() if calls else ""
    if content is None or isinstance(content, str):
        return role, (content or "") + called, 0
    if not isinstance(content, list) or not all(isinstance(part, dict) for part in content):
        raise Refused(400, "messages: content is a text or a list of parts", param="messages")
    texts = [text for part in content if isinstance(text := part.get("text", part.get("refusal")), str)]
    return role, "".join(texts) + called, len(content) - len(texts)
