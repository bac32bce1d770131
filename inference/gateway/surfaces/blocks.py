"""What may stand in a conversation with Anthropic's API: messages, their blocks, tools (its public API reference).

Everything is looked at here, so that whoever translates or forwards it later knows its shape. What would reach beyond
the request (files of the account that an operator uses, tools that a provider runs and bills itself) is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NoReturn

from foundation.errors import InvalidRequest

type Block = dict[str, Any]

MOST_MESSAGES = 2048
MOST_TOOLS = 128
# Tools that Claude was taught and the client runs. Those that a provider runs (web search, code) are not here.
_TAUGHT = re.compile(r"(?:bash|text_editor|computer|memory)_\d{8}")
_SOURCES = {"image": ("base64", "url"), "document": ("base64", "url", "text", "content")}
_CHOICES = ("auto", "any", "tool", "none")


def check_messages(messages: Any) -> bool:
    """Check a conversation; say whether there is more than text in it. Raises `InvalidRequest`."""
    if not isinstance(messages, list) or not messages:
        _refuse("messages", "must be a list of at least one message")
    if len(messages) > MOST_MESSAGES:
        _refuse("messages", f"has more than {MOST_MESSAGES} entries")
    media = False
    for position, message in enumerate(messages):
        where = f"messages.{position}"
        role = message.get("role") if isinstance(message, dict) else None
        if not isinstance(role, str) or role not in _ROLES:
            _refuse(f"{where}.role", "must be user, assistant or system")
        media = _check_content(message.get("content"), _ROLES[role], f"{where}.content") or media
    return media


def check_system(system: Any) -> None:
    """Check what a system prompt is: text, or blocks of text."""
    if system is not None:
        _check_content(system, _TEXTS, "system")


def check_tools(tools: Any) -> None:
    """Check the tools that may be used."""
    if tools is None:
        return
    if not isinstance(tools, list) or len(tools) > MOST_TOOLS:
        _refuse("tools", f"must be a list of at most {MOST_TOOLS} tools")
    for position, tool in enumerate(tools):
        where = f"tools.{position}"
        if not isinstance(tool, dict):
            _refuse(where, "must be an object")
        _text(tool, "name", where)
        kind = tool.get("type") or "custom"
        if kind == "custom":
            if not isinstance(tool.get("input_schema"), dict):
                _refuse(f"{where}.input_schema", "must be an object")
            _text(tool, "description", where, needed=False)
        elif not isinstance(kind, str) or not _TAUGHT.fullmatch(kind):
            _refuse(f"{where}.type", "must be custom or a tool that your program runs itself")


def check_tool_choice(choice: Any) -> None:
    """Check which tools must be used."""
    if choice is None:
        return
    kind = choice.get("type") if isinstance(choice, dict) else None
    if not isinstance(kind, str) or kind not in _CHOICES:
        _refuse("tool_choice.type", "must be auto, any, tool or none")
    if kind == "tool":
        _text(choice, "name", "tool_choice")
    if not isinstance(choice.get("disable_parallel_tool_use", False), bool):
        _refuse("tool_choice.disable_parallel_tool_use", "must be true or false")


def _check_content(content: Any, allowed: dict[str, Callable[[Block, str], bool]], where: str) -> bool:
    if isinstance(content, str):
        return False
    if not isinstance(content, list):
        _refuse(where, "must be a string or a list of blocks")
    media = False
    for position, block in enumerate(content):
        kind = block.get("type") if isinstance(block, dict) else None
        check = allowed.get(kind) if isinstance(kind, str) else None
        if check is None:
            _refuse(f"{where}.{position}.type", f"must be one of {', '.join(allowed)}")
        media = check(block, f"{where}.{position}") or media
    return media


def _text_block(block: Block, where: str) -> bool:
    _text(block, "text", where)
    return False


def _source_block(block: Block, where: str) -> bool:
    """An image or a document, by value or by address."""
    source = block.get("source")
    kind = source.get("type") if isinstance(source, dict) else None
    known = _SOURCES[block["type"]]
    if not isinstance(source, dict) or kind not in known:
        _refuse(f"{where}.source.type", f"must be one of {', '.join(known)}")
    for name in ("title", "context"):
        _text(block, name, where, needed=False)
    if kind == "url":
        _text(source, "url", f"{where}.source")
        return True
    if kind == "content":
        return _check_content(source.get("content"), _SHOWN, f"{where}.source.content")
    _text(source, "media_type", f"{where}.source")
    _text(source, "data", f"{where}.source")
    return bool(kind == "base64")


def _tool_use(block: Block, where: str) -> bool:
    _text(block, "id", where)
    _text(block, "name", where)
    if not isinstance(block.get("input"), dict):
        _refuse(f"{where}.input", "must be an object")
    return False


def _tool_result(block: Block, where: str) -> bool:
    _text(block, "tool_use_id", where)
    if not isinstance(block.get("is_error") or False, bool):
        _refuse(f"{where}.is_error", "must be true or false")
    content = block.get("content")
    return content is not None and _check_content(content, _RESULTS, f"{where}.content")


def _search_result(block: Block, where: str) -> bool:
    _text(block, "title", where)
    _text(block, "source", where)
    if not isinstance(block.get("content"), list):
        _refuse(f"{where}.content", "must be a list of blocks")
    return _check_content(block["content"], _TEXTS, f"{where}.content")


def _thinking(block: Block, where: str) -> bool:
    _text(block, "thinking", where)
    _text(block, "signature", where, needed=False)
    return False


def _redacted(block: Block, where: str) -> bool:
    _text(block, "data", where)
    return False


def _text(value: Block, name: str, where: str, *, needed: bool = True) -> None:
    text = value.get(name)
    if not isinstance(text, str) and (needed or text is not None):
        _refuse(f"{where}.{name}", "must be a string")


def _refuse(where: str, rule: str) -> NoReturn:
    raise InvalidRequest(f"{where} {rule}.", param=where)


_TEXTS: dict[str, Callable[[Block, str], bool]] = {"text": _text_block}
_SHOWN = _TEXTS | {"image": _source_block}
_RESULTS = _SHOWN | {"document": _source_block, "search_result": _search_result}
_ROLES = {
    "user": _RESULTS | {"tool_result": _tool_result},
    "assistant": _TEXTS | {"tool_use": _tool_use, "thinking": _thinking, "redacted_thinking": _redacted},
    "system": _TEXTS,
}
