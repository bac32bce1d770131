"""OpenAI's chat completion as its response, and the words that whole answers and streams share."""

from __future__ import annotations

from typing import Any

type Item = dict[str, Any]

# What a response repeats of its request, with what it says where the request does not.
_REPEATED: Item = {
    "instructions": None,
    "max_output_tokens": None,
    "parallel_tool_calls": True,
    "reasoning": {"effort": None, "summary": None},
    "temperature": 1.0,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_p": 1.0,
}
_CUT = {"length": "max_output_tokens", "content_filter": "content_filter"}


def response(answer: Item, asked: Item, model: str, counted: Item) -> Item:
    """Translate a whole answer to the fields `asked`. `counted` is our own count, where none was told.

    Raises `KeyError` and its like for what is no chat completion.
    """
    choice: Item = answer["choices"][0]
    name = plain_id(answer.get("id"))
    cut = _CUT.get(str(choice.get("finish_reason")))
    items = _items(choice, name, "incomplete" if cut else "completed")
    used = usage(answer.get("usage"), counted)
    return framed(name, asked, model, int(answer.get("created") or 0), items=items, cut=cut, used=used)


def framed(
    name: str, asked: Item, model: str, created: int, *, items: list[Item], cut: str | None, used: Item | None
) -> Item:
    """Write a response around its items; without usage it is in progress."""
    status = "in_progress" if used is None else "incomplete" if cut else "completed"
    return {
        "id": f"resp_{name}",
        "object": "response",
        "created_at": created,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": {"reason": cut} if cut else None,
        "metadata": {},
        "model": model,
        "output": items,
        "previous_response_id": None,
        "store": False,
        "truncation": "disabled",
        **{field: asked.get(field, usual) for field, usual in _REPEATED.items()},
        "usage": used,
    }


def cut_by(finish_reason: Any) -> str | None:
    """Say what cut an answer, if anything did."""
    return _CUT.get(str(finish_reason))


def plain_id(chat_id: Any) -> str:
    """Return what ids of a response, its items and calls are made of."""
    return str(chat_id or "").removeprefix("chatcmpl-").replace("-", "")


def reasoning(name: str, text: str, status: str) -> Item:
    """Write an item of reasoning."""
    content = [{"type": "reasoning_text", "text": text}] if status != "in_progress" else []
    return {"type": "reasoning", "id": f"rs_{name}", "summary": [], "content": content, "status": status}


def message(name: str, parts: list[Item], status: str) -> Item:
    """Write an item of what is said."""
    return {"type": "message", "id": f"msg_{name}", "role": "assistant", "status": status, "content": parts}


def text_part(text: str, logprobs: list[Item] | None = None) -> Item:
    """Write a part of text."""
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": logprobs or []}


def call(name: str, number: int, call_id: str, function: str, arguments: str, status: str) -> Item:
    """Write a call of a function."""
    return {
        "type": "function_call",
        "id": f"fc_{name}_{number}",
        "call_id": call_id or f"call_{name}_{number}",
        "name": function,
        "arguments": arguments,
        "status": status,
    }


def usage(told: Any, counted: Item) -> Item:
    """Translate usage."""
    told = told if isinstance(told, dict) else counted
    read, written = told.get("prompt_tokens") or 0, told.get("completion_tokens") or 0
    return {
        "input_tokens": read,
        "input_tokens_details": {"cached_tokens": _detail(told, "prompt_tokens_details", "cached_tokens")},
        "output_tokens": written,
        "output_tokens_details": {
            "reasoning_tokens": _detail(told, "completion_tokens_details", "reasoning_tokens"),
        },
        "total_tokens": read + written,
    }


def _detail(told: Item, group: str, name: str) -> int:
    details = told.get(group)
    return (details.get(name) or 0) if isinstance(details, dict) else 0


def _items(choice: Item, name: str, status: str) -> list[Item]:
    said: Item = choice["message"]
    thought = said.get("reasoning_content") or said.get("reasoning")
    items = [reasoning(name, thought, "completed")] if thought else []
    parts: list[Item] = []
    if said.get("content"):
        parts.append(text_part(said["content"], (choice.get("logprobs") or {}).get("content")))
    if said.get("refusal"):
        parts.append({"type": "refusal", "refusal": said["refusal"]})
    if parts:
        items.append(message(name, parts, status))
    for number, made in enumerate(said.get("tool_calls") or ()):
        function = made["function"]
        given = function.get("arguments") or ""
        items.append(call(name, number, made.get("id") or "", function["name"], given, status))
    return items
