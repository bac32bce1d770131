"""OpenAI's chat completion as Anthropic's message, and the words that whole answers and streams share."""

from __future__ import annotations

from typing import Any

import orjson

type Item = dict[str, Any]

REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}


def message(answer: Item, model: str, counted: Item) -> Item:
    """Translate a whole answer. `counted` is our own count in OpenAI's words, for an engine that told no usage.

    Raises `KeyError` and its like for what is no chat completion.
    """
    choice: Item = answer["choices"][0]
    said: Item = choice["message"]
    calls = said.get("tool_calls") or []
    reason, sequence = stopped(choice, called=bool(calls), refused=bool(said.get("refusal")))
    return {
        "id": message_id(answer.get("id")),
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [*_said(said), *(_call(call) for call in calls)],
        "stop_reason": reason,
        "stop_sequence": sequence,
        "usage": usage(answer.get("usage"), counted),
    }


def message_id(chat_id: Any) -> str:
    """Return an engine's id for a completion as one for a message."""
    return "msg_" + str(chat_id or "").removeprefix("chatcmpl-")


def stopped(choice: Item, *, called: bool, refused: bool) -> tuple[str, str | None]:
    """Say why an answer ended, and by which stop sequence: vLLM and its kind name it in `stop_reason`."""
    reason, by = choice.get("finish_reason"), choice.get("stop_reason")
    if refused:
        return "refusal", None
    if reason == "stop" and called:
        return "tool_use", None
    if reason == "stop" and isinstance(by, str) and by:
        return "stop_sequence", by
    return REASONS.get(str(reason), "end_turn"), None


def usage(told: Any, counted: Item) -> Item:
    """Translate usage. Anthropic's input tokens do not include those that came from the cache."""
    told = told if isinstance(told, dict) else counted
    details = told.get("prompt_tokens_details")
    cached = (details.get("cached_tokens") or 0) if isinstance(details, dict) else 0
    return {
        "input_tokens": max(0, (told.get("prompt_tokens") or 0) - cached),
        "output_tokens": told.get("completion_tokens") or 0,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": cached,
    }


def _said(said: Item) -> list[Item]:
    thought = said.get("reasoning_content") or said.get("reasoning")
    blocks: list[Item] = [{"type": "thinking", "thinking": thought, "signature": ""}] if thought else []
    return blocks + [{"type": "text", "text": said[name]} for name in ("content", "refusal") if said.get(name)]


def _call(call: Item) -> Item:
    function = call["function"]
    given = _arguments(function.get("arguments") or "{}")
    return {"type": "tool_use", "id": call["id"], "name": function["name"], "input": given}


def _arguments(written: str) -> Any:
    """A call that the limit of tokens cut has no arguments that could be read."""
    try:
        return orjson.loads(written)
    except orjson.JSONDecodeError:
        return {}
