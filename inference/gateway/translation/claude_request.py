"""OpenAI's request for a chat completion as Anthropic's request for a message (both public API references).

Fields that Claude has no counterpart for are refused by name before (`engines/anthropic.py`); here those are refused
whose values it has none for (several choices, free JSON, tools that are no functions).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from foundation.errors import InvalidRequest

type Item = dict[str, Any]

_SAME = ("stream", "top_p", "top_k")
_WARMEST = 1.0
"""Claude's temperatures end where half of chat's are."""
_CHOICES = {"auto": "auto", "required": "any", "none": "none"}
_EFFORTS = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "xhigh"}
_DATA_URL = re.compile(r"data:([\w.+/-]+);base64,(.*)", re.DOTALL)


def message_request(fields: Item) -> Item:
    """Translate the fields of a request. Raises `InvalidRequest` for what Claude cannot do."""
    _refuse_shapes(fields)
    asked = {name: fields[name] for name in _SAME if name in fields and fields[name] != -1}
    if "temperature" in fields:
        asked["temperature"] = min(fields["temperature"], _WARMEST)
    stop = fields.get("stop")
    if stop:
        asked["stop_sequences"] = stop if isinstance(stop, list) else [stop]
    system = [_text(text) for text in _system(fields["messages"])]
    if system:
        asked["system"] = system
    asked["messages"] = _merged(_turns(fields["messages"]))
    config = _effort(fields) | _format(fields.get("response_format"))
    if config:
        asked["output_config"] = config
    return asked | _tools(fields) | _thinking(fields)


def _refuse_shapes(fields: Item) -> None:
    if (fields.get("n") or 1) > 1:
        raise _cannot("n")
    if fields.get("logprobs"):
        raise _cannot("logprobs")


def _cannot(name: str) -> InvalidRequest:
    return InvalidRequest(f"This model's engine does not support {name}.", param=name)


def _text(text: str) -> Item:
    return {"type": "text", "text": text}


def _system(messages: list[Item]) -> Iterator[str]:
    for message in messages:
        if message["role"] in ("system", "developer"):
            yield from _texts(message.get("content"))


def _texts(content: Any) -> Iterator[str]:
    """Yield texts; Claude takes no empty ones."""
    for part in [_text(content)] if isinstance(content, str) else content or ():
        if part["type"] not in ("text", "refusal"):
            raise InvalidRequest("Only a user's messages may have more than text.", param="messages")
        text = part.get("text") or part.get("refusal")
        if text:
            yield text


def _turns(messages: list[Item]) -> Iterator[tuple[str, list[Item]]]:
    for message in messages:
        match message["role"]:
            case "user":
                yield "user", list(_shown(message.get("content")))
            case "assistant":
                said = [_text(text) for text in _texts(message.get("content"))]
                yield "assistant", [*said, *(_use(call) for call in message.get("tool_calls") or ())]
            case "tool":
                yield "user", [_result(message)]
            case "function":
                raise InvalidRequest("Use tools; functions are not supported by this model's engine.", param="messages")


def _merged(turns: Iterable[tuple[str, list[Item]]]) -> list[Item]:
    """Put what one side says in a row into one message, as Claude wants the results of parallel calls."""
    merged: list[Item] = []
    for role, blocks in turns:
        if not blocks:
            continue
        if merged and merged[-1]["role"] == role:
            merged[-1]["content"] += blocks
        else:
            merged.append({"role": role, "content": blocks})
    return merged


def _use(call: Any) -> Item:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise InvalidRequest("Each of tool_calls needs a function with a name.", param="messages")
    try:
        given = orjson.loads(function.get("arguments") or "{}")
    except (orjson.JSONDecodeError, TypeError):
        given = None
    if not isinstance(given, dict):
        raise InvalidRequest("The arguments of tool_calls must be a JSON object.", param="messages")
    return {"type": "tool_use", "id": call.get("id"), "name": function["name"], "input": given}


def _result(message: Item) -> Item:
    content = [_text(text) for text in _texts(message.get("content"))]
    return {"type": "tool_result", "tool_use_id": message.get("tool_call_id"), "content": content}


def _shown(content: Any) -> Iterator[Item]:
    for part in [_text(content)] if isinstance(content, str) else content or ():
        match part["type"]:
            case "text":
                yield from map(_text, filter(None, (part["text"],)))
            case "image_url":
                yield {"type": "image", "source": _source(_inside(part, "image_url", "url"))}
            case "file":
                source = _source(_inside(part, "file", "file_data"))
                if source["type"] != "base64":
                    raise InvalidRequest("Files must be sent as data.", param="messages")
                yield {"type": "document", "source": source}
            case kind:
                raise InvalidRequest(f"This model's engine takes no content of the type {kind[:64]}.", param="messages")


def _inside(part: Item, name: str, member: str) -> str:
    inside = part.get(name)
    value = inside.get(member) if isinstance(inside, dict) else inside
    if not isinstance(value, str):
        raise InvalidRequest(f"A part of the type {name} needs {name}.{member}.", param="messages")
    return value


def _source(url: str) -> Item:
    data = _DATA_URL.fullmatch(url)
    if data is None:
        return {"type": "url", "url": url}
    return {"type": "base64", "media_type": data.group(1), "data": data.group(2)}


def _tools(fields: Item) -> Item:
    if not fields.get("tools"):
        return {}
    asked: Item = {"tools": [_tool(tool) for tool in fields["tools"]]}
    choice = fields.get("tool_choice")
    single = fields.get("parallel_tool_calls") is False
    if choice is not None or single:
        asked["tool_choice"] = _choice(choice or "auto")
        if single and asked["tool_choice"]["type"] != "none":
            asked["tool_choice"]["disable_parallel_tool_use"] = True
    return asked


def _tool(tool: Item) -> Item:
    function = tool.get("function")
    if tool.get("type") != "function" or not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise InvalidRequest("Each of tools must be of the type function and have a name.", param="tools")
    schema = function.get("parameters") or {"type": "object", "properties": {}}
    asked = {"name": function["name"], "description": function.get("description"), "input_schema": schema}
    if function.get("strict"):
        asked["strict"] = True
    return {name: value for name, value in asked.items() if value is not None}


def _choice(choice: Any) -> Item:
    if isinstance(choice, str):
        return {"type": _CHOICES[choice]}
    function = choice.get("function")
    if choice.get("type") != "function" or not isinstance(function, dict):
        raise _cannot("this tool_choice")
    return {"type": "tool", "name": function.get("name")}


def _thinking(fields: Item) -> Item:
    effort = fields.get("reasoning_effort")
    if effort is None:
        return {}
    return {"thinking": {"type": "disabled" if effort == "none" else "adaptive"}}


def _effort(fields: Item) -> Item:
    effort = fields.get("reasoning_effort")
    if effort in (None, "none"):
        return {}
    if effort not in _EFFORTS:
        raise InvalidRequest(f"reasoning_effort must be one of none, {', '.join(_EFFORTS)}.", param="reasoning_effort")
    return {"effort": _EFFORTS[effort]}


def _format(wanted: Any) -> Item:
    kind = (wanted or {}).get("type", "text")
    if kind == "text":
        return {}
    schema = wanted.get("json_schema")
    if kind != "json_schema" or not isinstance(schema, dict) or not isinstance(schema.get("schema"), dict):
        raise InvalidRequest(
            "This model's engine takes a response_format of the type json_schema with a schema, or text.",
            param="response_format",
        )
    return {"format": {"type": "json_schema", "schema": schema["schema"]}}
