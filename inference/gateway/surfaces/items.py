"""What may stand in the input of OpenAI's responses: items, and the parts of messages (its public API reference).

Everything is looked at here, so that whoever translates or forwards it later knows its shape. What would reach beyond
the request is refused: items kept by a provider, files of its account, tools that it runs and bills itself.
"""

from __future__ import annotations

from typing import Any, NoReturn

from foundation.errors import InvalidRequest

type Item = dict[str, Any]

MOST_ITEMS = 2048
MOST_TOOLS = 128
_ROLES = ("user", "assistant", "system", "developer")
_CHOICES = ("none", "auto", "required")
# For each part: the members that are text. A file is sent, never named by an id.
_PARTS = {
    "input_text": ("text",),
    "output_text": ("text",),
    "refusal": ("refusal",),
    "input_image": ("image_url",),
    "input_file": ("file_data",),
    "reasoning_text": ("text",),
    "summary_text": ("text",),
}
_MEDIA = frozenset({"input_image", "input_file"})


def check_input(value: Any) -> bool:
    """Check a request's input; say whether there is more than text in it. Raises `InvalidRequest`."""
    if isinstance(value, str):
        return False
    if not isinstance(value, list) or not value:
        _refuse("input", "must be a string or a list of at least one item")
    if len(value) > MOST_ITEMS:
        _refuse("input", f"has more than {MOST_ITEMS} items")
    media = False
    for position, item in enumerate(value):
        media = _check_item(item, f"input[{position}]") or media
    return media


def check_tools(tools: Any) -> None:
    """Check the tools that may be called: functions, which the client runs."""
    if not isinstance(tools, list) or len(tools) > MOST_TOOLS:
        _refuse("tools", f"must be a list of at most {MOST_TOOLS} tools")
    for position, tool in enumerate(tools):
        where = f"tools[{position}]"
        if not isinstance(tool, dict) or tool.get("type") != "function":
            _refuse(where, "must be of the type function: no other tools are run here")
        _texts(tool, ("name",), where)
        if not isinstance(tool.get("parameters") or {}, dict):
            _refuse(f"{where}.parameters", "must be an object")


def check_choice(choice: Any) -> None:
    """Check which tool must be called."""
    named = isinstance(choice, dict) and choice.get("type") == "function" and isinstance(choice.get("name"), str)
    if choice not in _CHOICES and not named:
        _refuse("tool_choice", "must be none, auto, required, or name a function")


def check_format(text: Item) -> None:
    """Check the form of the text: free, JSON, or JSON by a schema."""
    wanted = text.get("format")
    if wanted is None:
        return
    kind = wanted.get("type") if isinstance(wanted, dict) else None
    if kind not in ("text", "json_object", "json_schema"):
        _refuse("text.format", "must be of the type text, json_object or json_schema")
    if kind == "json_schema" and not isinstance(wanted.get("schema"), dict):
        _refuse("text.format.schema", "must be an object")


def _check_item(item: Any, where: str) -> bool:
    if not isinstance(item, dict):
        _refuse(where, "must be an object")
    match item.get("type", "message"):
        case "message":
            return _check_message(item, where)
        case "function_call":
            _texts(item, ("call_id", "name", "arguments"), where)
        case "function_call_output":
            _texts(item, ("call_id",), where)
            return _check_content(item.get("output"), f"{where}.output")
        case "reasoning":
            for name in ("summary", "content"):
                _check_content(item.get(name) or "", f"{where}.{name}")
        case _:
            _refuse(f"{where}.type", "must be message, function_call, function_call_output or reasoning")
    return False


def _check_message(item: Item, where: str) -> bool:
    if item.get("role") not in _ROLES:
        _refuse(f"{where}.role", f"must be one of {', '.join(_ROLES)}")
    return _check_content(item.get("content"), f"{where}.content")


def _check_content(content: Any, where: str) -> bool:
    if isinstance(content, str):
        return False
    if not isinstance(content, list):
        _refuse(where, "must be a string or a list of parts")
    for position, part in enumerate(content):
        kind = part.get("type") if isinstance(part, dict) else None
        if not isinstance(kind, str) or kind not in _PARTS:
            _refuse(f"{where}[{position}].type", f"must be one of {', '.join(_PARTS)}")
        _texts(part, _PARTS[kind], f"{where}[{position}]")
    return any(part["type"] in _MEDIA for part in content)


def _texts(value: Item, names: tuple[str, ...], where: str) -> None:
    for name in names:
        if not isinstance(value.get(name), str):
            _refuse(f"{where}.{name}", "must be a string")


def _refuse(where: str, rule: str) -> NoReturn:
    raise InvalidRequest(f"{where} {rule}.", param=where)
