"""Anthropic's request for a message as OpenAI's request for a chat completion (both public API references).

Only what has passed `surfaces/messages.py` comes here, so shapes are known. What chat has no words for is refused if
the answer would be another without it (a document behind a URL, a tool that only Claude knows), and left out if not
(cache marks, earlier thinking, which carries the signature of who thought it).
"""

from __future__ import annotations

from typing import Any

import orjson

from foundation.errors import InvalidRequest

type Item = dict[str, Any]

_SAME = ("model", "max_tokens", "stream", "temperature", "top_p", "top_k")
_CHOICES = {"auto": "auto", "any": "required", "none": "none"}
# Budgets of thinking, in tokens, as the efforts that chat knows.
_EFFORTS = ((4_096, "low"), (16_384, "medium"))
_STRONGEST = "high"
_EFFORT_NAMES = {"low": "low", "medium": "medium", "high": "high", "xhigh": _STRONGEST, "max": _STRONGEST}


def chat_request(fields: Item) -> Item:
    """Translate the fields of a request. Raises `InvalidRequest` for what chat cannot say."""
    chat = {name: fields[name] for name in _SAME if name in fields}
    chat["messages"] = [*_system(fields.get("system")), *_messages(fields["messages"])]
    if fields.get("stop_sequences"):
        chat["stop"] = fields["stop_sequences"]
    return chat | _tools(fields) | _thinking(fields) | _output(fields)


def _system(system: Any) -> list[Item]:
    text = system if isinstance(system, str) else "\n".join(block["text"] for block in system or ())
    return [{"role": "system", "content": text}] if text else []


def _messages(messages: list[Item]) -> list[Item]:
    told: list[Item] = []
    for message in messages:
        content, role = message["content"], message["role"]
        if isinstance(content, str):
            told.append({"role": role, "content": content})
        elif role == "assistant":
            told.append(_assistant(content))
        elif role == "system":
            told += _system(content)
        else:
            told += _user(content)
    return told


def _assistant(blocks: list[Item]) -> Item:
    said = "\n".join(block["text"] for block in blocks if block["type"] == "text")
    calls = [
        {
            "id": block["id"],
            "type": "function",
            "function": {"name": block["name"], "arguments": orjson.dumps(block["input"]).decode()},
        }
        for block in blocks
        if block["type"] == "tool_use"
    ]
    message: Item = {"role": "assistant", "content": said if said or not calls else None}
    return message | {"tool_calls": calls} if calls else message


def _user(blocks: list[Item]) -> list[Item]:
    """Results of tools are messages of their own, and come first: chat wants them right behind the calls."""
    results = [block for block in blocks if block["type"] == "tool_result"]
    told = [_tool(block) for block in results]
    # Only people may show pictures in chat; those that a tool returned follow its result.
    rest = [part for block in results for part in _parts(block.get("content") or ()) if part["type"] != "text"]
    rest += _parts([block for block in blocks if block["type"] != "tool_result"])
    return [*told, {"role": "user", "content": _plain(rest)}] if rest or not told else told


def _tool(block: Item) -> Item:
    parts = _parts(block.get("content") or ())
    text = "\n".join(part["text"] for part in parts if part["type"] == "text")
    # Chat has no field for it, and a model should know.
    content = f"Error: {text}" if block.get("is_error") else text
    return {"role": "tool", "tool_call_id": block["tool_use_id"], "content": content}


def _plain(parts: list[Item]) -> str | list[Item]:
    """Text alone is a string, which every engine's template takes."""
    if all(part["type"] == "text" for part in parts):
        return "\n".join(part["text"] for part in parts)
    return parts


def _parts(content: Any) -> list[Item]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [part for block in content for part in _part(block)]


def _part(block: Item) -> list[Item]:
    match block["type"]:
        case "text":
            return [{"type": "text", "text": block["text"]}]
        case "image":
            return [{"type": "image_url", "image_url": {"url": _url(block["source"])}}]
        case "document":
            return _document(block)
        case "search_result":
            found = "\n".join(part["text"] for part in block["content"])
            return [{"type": "text", "text": f"{block['title']}\n{block['source']}\n{found}"}]
    raise InvalidRequest(f"This model's engine takes no content of the type {block['type']}.", param="messages")


def _url(source: Item) -> str:
    if source["type"] == "url":
        return str(source["url"])
    return f"data:{source['media_type']};base64,{source['data']}"


def _document(block: Item) -> list[Item]:
    source = block["source"]
    if source["type"] == "url":
        raise InvalidRequest("This model's engine takes no documents from URLs. Send the document.", param="messages")
    if source["type"] == "base64":
        name = block.get("title") or "document.pdf"
        return [{"type": "file", "file": {"filename": name, "file_data": _url(source)}}]
    about = [block[name] for name in ("title", "context") if block.get(name)]
    inside = _parts(source["data"] if source["type"] == "text" else source["content"])
    return [{"type": "text", "text": text} for text in about] + inside


def _tools(fields: Item) -> Item:
    chat: Item = {}
    if fields.get("tools"):
        chat["tools"] = [{"type": "function", "function": _function(tool)} for tool in fields["tools"]]
    choice = fields.get("tool_choice")
    if choice and "tools" in chat:
        named = {"type": "function", "function": {"name": choice.get("name")}}
        chat["tool_choice"] = _CHOICES.get(choice["type"], named)
        if choice.get("disable_parallel_tool_use"):
            chat["parallel_tool_calls"] = False
    return chat


def _function(tool: Item) -> Item:
    if tool.get("type") not in (None, "custom"):
        raise InvalidRequest(f"This model's engine does not know tools of the type {tool['type']}.", param="tools")
    function = {"name": tool["name"], "description": tool.get("description"), "parameters": tool["input_schema"]}
    if tool.get("strict"):
        function["strict"] = True
    return {name: value for name, value in function.items() if value is not None}


def _thinking(fields: Item) -> Item:
    thinking = fields.get("thinking") or {}
    effort = (fields.get("output_config") or {}).get("effort")
    if thinking.get("type") == "disabled":
        return {}
    if effort:
        return {"reasoning_effort": _EFFORT_NAMES[effort]}
    budget = thinking.get("budget_tokens")
    if budget is None:
        return {}
    return {"reasoning_effort": next((name for most, name in _EFFORTS if budget <= most), _STRONGEST)}


def _output(fields: Item) -> Item:
    wanted = (fields.get("output_config") or {}).get("format")
    if not wanted:
        return {}
    schema = {"name": "answer", "schema": wanted["schema"], "strict": True}
    return {"response_format": {"type": "json_schema", "json_schema": schema}}
