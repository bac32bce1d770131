"""What of an answer is contract, and what is chance: texts, counts, ids and times are replaced by their kind."""

import re
import sys
from typing import Any

from tests.conformance.wire import Answer

# Strings under these names are words of the protocol and stay as they are.
_WORDS = {
    "allow",
    "code",
    "event",
    "finish_reason",
    "object",
    "owned_by",
    "param",
    "reason",
    "role",
    "status",
    "stop_reason",
    "type",
    "name",
    "service_tier",
    "tool_choice",
    "truncation",
    "organization",
}  # fmt: skip - one word a line says no more
_NUMBERS = {"code", "index", "output_index", "content_index"}
# Of vLLM's own making, or after the id that the gateway gave the request.
_ID = re.compile(r"chatcmpl-tool-|[a-z]+[-_](?=[0-9a-f]{6}|req_)")
_KEYED_BY_TOKENS = {"top_logprobs"}  # in /v1/completions; a chat has a list there


def of(answer: Answer) -> dict[str, Any]:
    """Return an answer's shape: status, type, and its body or its events, of which equal ones count once."""
    shape: dict[str, Any] = {"status": answer.status, "content_type": answer.content_type}
    if "allow" in answer.headers:
        shape["allow"] = answer.headers["allow"]
    if answer.streamed:
        events = [{"event": event.name, "data": _shape("", event.data)} for event in answer.events]
        shape["events"] = sorted(_once(events), key=_choice)
    else:
        shape["body"] = _shape("", answer.json) if answer.text else ""
    return shape


def _choice(event: dict[str, Any]) -> int:
    """Which choice an event is of, as the order among choices is chance; those of none come behind all."""
    choices = event["data"].get("choices") if isinstance(event["data"], dict) else None
    return int(choices[0]["index"]) if choices else sys.maxsize


def _shape(key: str, value: Any) -> Any:
    if isinstance(value, dict):
        if key in _KEYED_BY_TOKENS and all(isinstance(inner, float) for inner in value.values()):
            return {"<token>": _once([_shape("", inner) for inner in value.values()])}
        kept = {name: _shape(name, inner) for name, inner in value.items()}
        # Which document is the best is chance, too.
        return kept | {"index": "<int>"} if "relevance_score" in kept else kept
    if isinstance(value, list):
        return _once([_shape(key, inner) for inner in value])
    if isinstance(value, str):
        return _text(key, value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if key in _NUMBERS else "<int>"
    return "<float>"


def _text(key: str, text: str) -> str:
    if key in _WORDS or text == "[DONE]":
        return text
    found = _ID.match(text) if key == "id" or key.endswith("_id") else None
    return f"{found[0]}<id>" if found else "<text>"


def _once(items: list[Any]) -> list[Any]:
    return [item for number, item in enumerate(items) if item not in items[:number]]
