"""OpenAI's request for a response as its request for a chat completion (both public API references).

Only what has passed `surfaces/responses.py` comes here, so shapes are known. Earlier reasoning is left out: chat has no
words for it, and models do not read it again.
"""

from __future__ import annotations

from typing import Any

type Item = dict[str, Any]

_SAME = ("model", "stream", "temperature", "top_p", "parallel_tool_calls")


def chat_request(fields: Item) -> Item:
    """Translate the fields of a request."""
    chat = {name: fields[name] for name in _SAME if name in fields}
    if "max_output_tokens" in fields:
        chat["max_tokens"] = fields["max_output_tokens"]
    system = [{"role": "system", "content": fields["instructions"]}] if fields.get("instructions") else []
    chat["messages"] = [*system, *_messages(fields["input"])]
    return chat | _tools(fields) | _form(fields) | _logprobs(fields)


def _messages(given: str | list[Item]) -> list[Item]:
    if isinstance(given, str):
        return [{"role": "user", "content": given}]
    told: list[Item] = []
    for item in given:
        match item.get("type", "message"):
            case "message":
                told.append({"role": item["role"], "content": _content(item["content"])})
            case "function_call":
                _call(told, item)
            case "function_call_output":
                told.append({"role": "tool", "tool_call_id": item["call_id"], "content": _content(item["output"])})
    return told


def _call(told: list[Item], item: Item) -> None:
    """Add a call. Calls that follow each other, or what the model said before them, are one message in chat."""
    call = {
        "id": item["call_id"],
        "type": "function",
        "function": {"name": item["name"], "arguments": item["arguments"]},
    }
    if told and told[-1]["role"] == "assistant":
        told[-1].setdefault("tool_calls", []).append(call)
    else:
        told.append({"role": "assistant", "content": None, "tool_calls": [call]})


def _content(content: str | list[Item]) -> str | list[Item]:
    """Text alone is a string, which every engine's template takes."""
    if isinstance(content, str):
        return content
    parts = [_part(part) for part in content]
    if all(part["type"] == "text" for part in parts):
        return "\n".join(part["text"] for part in parts)
    return parts


def _part(part: Item) -> Item:
    match part["type"]:
        case "input_image":
            image = {"url": part["image_url"]}
            return {
                "type": "image_url",
                "image_url": image | ({"detail": part["detail"]} if part.get("detail") else {}),
            }
        case "input_file":
            file = {"filename": part.get("filename") or "document.pdf", "file_data": part["file_data"]}
            return {"type": "file", "file": file}
        case "refusal":
            return {"type": "text", "text": part["refusal"]}
    return {"type": "text", "text": part["text"]}


def _tools(fields: Item) -> Item:
    if not fields.get("tools"):
        return {}
    names = ("name", "description", "parameters", "strict")
    functions = [{name: tool[name] for name in names if tool.get(name) is not None} for tool in fields["tools"]]
    chat: Item = {"tools": [{"type": "function", "function": function} for function in functions]}
    choice = fields.get("tool_choice")
    if choice is not None:
        named = isinstance(choice, dict)
        chat["tool_choice"] = {"type": "function", "function": {"name": choice["name"]}} if named else choice
    return chat


def _form(fields: Item) -> Item:
    chat: Item = {}
    wanted = (fields.get("text") or {}).get("format") or {}
    if wanted.get("type") == "json_object":
        chat["response_format"] = {"type": "json_object"}
    elif wanted.get("type") == "json_schema":
        schema = {name: wanted[name] for name in ("name", "description", "schema", "strict") if name in wanted}
        chat["response_format"] = {"type": "json_schema", "json_schema": {"name": "answer"} | schema}
    effort = (fields.get("reasoning") or {}).get("effort")
    return chat | ({"reasoning_effort": effort} if effort else {})


def _logprobs(fields: Item) -> Item:
    wanted = fields.get("top_logprobs")
    if wanted is None and "message.output_text.logprobs" not in (fields.get("include") or ()):
        return {}
    return {"logprobs": True, "top_logprobs": wanted or 0}
