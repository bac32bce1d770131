"""The fields of a chat completion: which may pass, and what each may be (OpenAI's reference, architecture §4.4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from foundation.errors import InvalidRequest
from keys import subjects

MOST_MESSAGES = 2048
MOST_CHOICES = 8
MOST_LOGPROBS = 20
ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})

type Check = Callable[[Any], bool]


def _integer(least: int, most: int = 2**31) -> Check:
    return lambda value: type(value) is int and least <= value <= most


def _number(least: float, most: float) -> Check:
    return lambda value: type(value) in (int, float) and least <= value <= most


def _text(longest: int) -> Check:
    # Postgres stores no NUL.
    return lambda value: isinstance(value, str) and len(value) <= longest and "\0" not in value


def _name(value: Any) -> bool:
    return isinstance(value, str) and (not value or subjects.is_name(value))


def _boolean(value: Any) -> bool:
    return isinstance(value, bool)


def _object(value: Any) -> bool:
    return isinstance(value, dict)


def _objects(most: int) -> Check:
    return lambda value: (
        isinstance(value, list) and len(value) <= most and all(isinstance(item, dict) for item in value)
    )


def _stop(value: Any) -> bool:
    items = value if isinstance(value, list) else [value]
    return len(items) <= 16 and all(isinstance(item, str) for item in items)


def _bias(value: Any) -> bool:
    # OpenAI's own limit on the number of tokens is about this.
    return isinstance(value, dict) and len(value) <= 1024 and all(_number(-100, 100)(bias) for bias in value.values())


def _choice(value: Any) -> bool:
    return value in ("none", "auto", "required") if isinstance(value, str) else isinstance(value, dict)


# What reaches the engine. Everything that is not here, or below, is refused by name.
SENT: dict[str, tuple[Check, str]] = {
    "messages": (lambda value: True, ""),  # looked at message by message
    "model": (_text(256), "a string"),
    "stream": (_boolean, "true or false"),
    "stream_options": (_object, "an object"),
    "max_tokens": (_integer(1), "a whole number of at least 1"),
    "max_completion_tokens": (_integer(1), "a whole number of at least 1"),
    "n": (_integer(1, MOST_CHOICES), f"a whole number from 1 to {MOST_CHOICES}"),
    "temperature": (_number(0, 2), "a number from 0 to 2"),
    "top_p": (_number(0, 1), "a number from 0 to 1"),
    "top_k": (_integer(-1), "a whole number of at least -1"),
    "min_p": (_number(0, 1), "a number from 0 to 1"),
    "presence_penalty": (_number(-2, 2), "a number from -2 to 2"),
    "frequency_penalty": (_number(-2, 2), "a number from -2 to 2"),
    "repetition_penalty": (_number(0, 10), "a number from 0 to 10"),
    "stop": (_stop, "a string or at most 16 strings"),
    "seed": (_integer(-(2**63), 2**63 - 1), "a whole number"),
    "logit_bias": (_bias, "an object of numbers from -100 to 100"),
    "logprobs": (_boolean, "true or false"),
    "top_logprobs": (_integer(0, MOST_LOGPROBS), f"a whole number from 0 to {MOST_LOGPROBS}"),
    "tools": (_objects(128), "a list of at most 128 objects"),
    "tool_choice": (_choice, "none, auto, required or an object"),
    "parallel_tool_calls": (_boolean, "true or false"),
    "response_format": (_object, "an object"),
    "reasoning_effort": (_text(16), "a string"),
}
# OpenAI's SDKs may send these; they mean something to us or to nobody, and no engine sees them.
KEPT: dict[str, tuple[Check, str]] = {
    "user": (_name, "a string of at most 128 printable characters"),
    "metadata": (_object, "an object"),
    "store": (_boolean, "true or false"),
    "service_tier": (_text(32), "a string"),
    "safety_identifier": (_text(128), "a string of at most 128 characters"),
    "prompt_cache_key": (_text(128), "a string of at most 128 characters"),
}
_FIELDS = SENT | KEPT
_STREAM_OPTIONS = frozenset({"include_usage", "continuous_usage_stats", "include_obfuscation"})


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A checked chat completion. `fields` holds what the engine may see. Never shown: it is content."""

    model: str
    stream: bool
    include_usage: bool
    continuous_usage: bool
    max_tokens: int | None
    choices: int
    has_media: bool
    customer: str
    size: int
    digest: bytes
    fields: dict[str, Any] = field(repr=False)


def parse(value: dict[str, Any], size: int, digest: bytes = b"") -> ChatRequest:
    """Check a parsed body of `size` bytes with hash `digest`. Raises `InvalidRequest` that names the field at fault."""
    for name, item in value.items():
        rule = _FIELDS.get(name)
        if rule is None:
            raise InvalidRequest(f"Unknown field: {name[:64]}.", param=name[:64])
        if item is not None and not rule[0](item):
            raise InvalidRequest(f"{name} must be {rule[1]}.", param=name)
    if not value.get("model"):
        raise InvalidRequest("model is missing.", param="model")
    has_media = _check_messages(value.get("messages"))
    options = value.get("stream_options") or {}
    stream = bool(value.get("stream"))
    _check_options(options, stream)
    return ChatRequest(
        model=value["model"],
        stream=stream,
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


def _most_tokens(value: dict[str, Any]) -> int | None:
    """`max_completion_tokens` replaced `max_tokens`; where both are there they must agree."""
    old, new = value.get("max_tokens"), value.get("max_completion_tokens")
    if old is not None and new is not None and old != new:
        raise InvalidRequest("max_tokens and max_completion_tokens differ.", param="max_completion_tokens")
    most: int | None = new if new is not None else old
    return most


def _check_options(options: dict[str, Any], stream: bool) -> None:
    if options and not stream:
        raise InvalidRequest("stream_options is only allowed with stream.", param="stream_options")
    for name, item in options.items():
        if name not in _STREAM_OPTIONS or not isinstance(item, bool):
            raise InvalidRequest(f"stream_options.{name[:64]} is not valid.", param="stream_options")


def _check_messages(messages: Any) -> bool:
    if not isinstance(messages, list) or not messages:
        raise InvalidRequest("messages must be a list of at least one message.", param="messages")
    if len(messages) > MOST_MESSAGES:
        raise InvalidRequest(f"messages has more than {MOST_MESSAGES} entries.", param="messages")
    media = False
    for position, message in enumerate(messages):
        role = message.get("role") if isinstance(message, dict) else None
        if not isinstance(role, str) or role not in ROLES:
            raise InvalidRequest(f"messages[{position}] needs a known role.", param=f"messages[{position}].role")
        media = _check_content(message, position) or media
    return media


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
