"""Anthropic's message as OpenAI's chat completion."""

from __future__ import annotations

from typing import Any

import orjson

type Item = dict[str, Any]

REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


def completion(message: Item, usage: Item | None, *, model: str, created: int) -> Item:
    """Translate a whole answer. `usage` is in OpenAI's words already; `created` is in seconds since 1970.

    Raises `KeyError` and its like for what is no message.
    """
    choice = {
        "index": 0,
        "message": _message(message["content"]),
        "logprobs": None,
        "finish_reason": finish_reason(message.get("stop_reason")),
    }
    answer = {
        "id": completion_id(message.get("id")),
        "object": "chat.completion",
        "created": created,
        "model": model,
        "choices": [choice],
    }
    return answer if usage is None else answer | {"usage": with_total(usage)}


def completion_id(message_id: Any) -> str:
    """Return an engine's id for a message as one for a completion."""
    return "chatcmpl-" + str(message_id or "").removeprefix("msg_")


def finish_reason(stop_reason: Any) -> str:
    """Say in OpenAI's word why an answer ended."""
    return REASONS.get(str(stop_reason), "stop")


def with_total(usage: Item) -> Item:
    """Add the sum that OpenAI's usage has."""
    return usage | {"total_tokens": usage["prompt_tokens"] + usage["completion_tokens"]}


def _message(blocks: list[Item]) -> Item:
    said = [block["text"] for block in blocks if block["type"] == "text"]
    thought = "".join(block["thinking"] for block in blocks if block["type"] == "thinking")
    calls = [_call(block) for block in blocks if block["type"] == "tool_use"]
    message: Item = {"role": "assistant", "content": "".join(said) if said else None, "refusal": None}
    if thought:
        message["reasoning_content"] = thought
    return message | {"tool_calls": calls} if calls else message


def _call(block: Item) -> Item:
    arguments = orjson.dumps(block["input"]).decode()
    return {"id": block["id"], "type": "function", "function": {"name": block["name"], "arguments": arguments}}
