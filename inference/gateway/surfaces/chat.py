"""POST /v1/chat/completions: OpenAI's chat completions (its API reference; architecture §4.4)."""

from __future__ import annotations

from typing import Any

import orjson

from foundation.errors import InvalidRequest
from inference.gateway.surfaces.checks import (
    KEPT,
    MOST_LOGPROBS,
    SAMPLING,
    Rules,
    anything,
    boolean,
    mapping,
    objects,
    require,
    stream_options,
    text,
    whole,
)
from inference.gateway.surfaces.surface import MOST_BYTES_WITH_MEDIA, JsonSurface, openai_usage
from inference.gateway.wanted import Outcome, Wanted

MOST_MESSAGES = 2048
MOST_CALLS = 128
ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})


def _choice(value: Any) -> bool:
    return value in ("none", "auto", "required") if isinstance(value, str) else isinstance(value, dict)


# What reaches the engine. Everything that is neither here nor kept is refused by name.
SENT: Rules = SAMPLING | {
    "messages": (anything, ""),  # looked at message by message
    "max_completion_tokens": whole(1),
    "logprobs": (boolean, "true or false"),
    "top_logprobs": whole(0, MOST_LOGPROBS),
    "tools": (objects(128), "a list of at most 128 objects"),
    "tool_choice": (_choice, "none, auto, required or an object"),
    "parallel_tool_calls": (boolean, "true or false"),
    "response_format": (mapping, "an object"),
    "reasoning_effort": (text(16), "a string"),
}
_RULES = SENT | KEPT


class Chat(JsonSurface):
    """Chat completions."""

    name = "chat.completions"
    path = "/v1/chat/completions"
    most_bytes = MOST_BYTES_WITH_MEDIA
    media_marks = (b'"image_url"', b'"input_audio"', b'"video_url"', b'"file"')

    def read(self, value: dict[str, Any], size: int, digest: bytes = b"") -> Wanted:
        """Check a chat completion's fields, message by message."""
        require(value, _RULES, "model")
        has_media = check_messages(value.get("messages"))
        options = stream_options(value)
        return Wanted(
            model=value["model"],
            stream=bool(value.get("stream")),
            include_usage=bool(options.get("include_usage")),
            continuous_usage=bool(options.get("continuous_usage_stats")),
            max_tokens=_most_tokens(value),
            choices=value.get("n") or 1,
            has_media=has_media,
            customer=value.get("user") or "",
            size=size,
            digest=digest,
            fields={name: item for name, item in value.items() if name in SENT and item is not None},
        )

    def replay(self, outcome: Outcome, *, streamed: bool) -> bytes:
        """Write an answer without choices."""
        body = orjson.dumps(
            {
                "id": f"chatcmpl-{outcome.request_id}",
                "object": "chat.completion.chunk" if streamed else "chat.completion",
                "created": int(outcome.at.timestamp()),
                "model": outcome.model,
                "choices": [],
                "usage": openai_usage(outcome),
            }
        )
        return b"data: " + body + b"\n\ndata: [DONE]\n\n" if streamed else body


def _most_tokens(value: dict[str, Any]) -> int | None:
    """`max_completion_tokens` replaced `max_tokens`; where both are there they must agree."""
    old, new = value.get("max_tokens"), value.get("max_completion_tokens")
    if old is not None and new is not None and old != new:
        raise InvalidRequest("max_tokens and max_completion_tokens differ.", param="max_completion_tokens")
    most: int | None = new if new is not None else old
    return most


def check_messages(messages: Any) -> bool:
    """Check a conversation; say whether there is more than text in it. Raises `InvalidRequest`."""
    if not isinstance(messages, list) or not messages:
        raise InvalidRequest("messages must be a list of at least one message.", param="messages")
    if len(messages) > MOST_MESSAGES:
        raise InvalidRequest(f"messages has more than {MOST_MESSAGES} entries.", param="messages")
    media = False
    for position, message in enumerate(messages):
        role = message.get("role") if isinstance(message, dict) else None
        if not isinstance(role, str) or role not in ROLES:
            raise InvalidRequest(f"messages[{position}] needs a known role.", param=f"messages[{position}].role")
        _check_calls(message.get("tool_calls"), f"messages[{position}].tool_calls")
        media = _check_content(message, position) or media
    return media


def _check_calls(calls: Any, where: str) -> None:
    if calls is not None and not objects(MOST_CALLS)(calls):
        raise InvalidRequest(f"{where} must be a list of at most {MOST_CALLS} objects.", param=where)


def _check_content(message: dict[str, Any], position: int) -> bool:
    """Text, nothing (for tool calls), or parts with a type each. Answers whether there is more than text."""
    content = message.get("content")
    if isinstance(content, str):
        return False
    if content is None and (message.get("tool_calls") or message["role"] == "assistant"):
        return False
    if not isinstance(content, list) or not all(_is_part(part) for part in content):
        where = f"messages[{position}].content"
        raise InvalidRequest(f"{where} must be a string or a list of parts.", param=where)
    return any(part["type"] not in ("text", "refusal") for part in content)


def _is_part(part: Any) -> bool:
    if not isinstance(part, dict) or not isinstance(part.get("type"), str):
        return False
    return part["type"] != "text" or isinstance(part.get("text"), str)
