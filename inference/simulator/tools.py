"""The tools of a request, in OpenAI's and in Anthropic's form, and which of them the model is forced to call."""

from typing import Any

from inference.simulator.jobs import Tool
from inference.simulator.refusals import Refused


def offered(asked: dict[str, Any]) -> tuple[Tool, ...]:
    """The functions in `tools`, whichever of the APIs words them. Raises Refused."""
    tools = asked.get("tools")
    if tools is None:
        if asked.get("tool_choice") not in (None, "auto", "none"):
            raise Refused(400, "When using `tool_choice`, `tools` must be set.", param="tool_choice")
        return ()
    if not isinstance(tools, list) or not all(isinstance(tool, dict) for tool in tools):
        raise Refused(400, "tools: Input should be a list of tools", param="tools")
    functions = [tool["function"] if isinstance(tool.get("function"), dict) else tool for tool in tools]
    named = [one for one in functions if isinstance(one.get("name"), str)]
    return tuple(Tool(one["name"], one.get("parameters", one.get("input_schema"))) for one in named)


def forced(asked: dict[str, Any], tools: tuple[Tool, ...]) -> tuple[Tool, ...]:
    """What `tool_choice` makes the model call: one tool by name, or the first for "required" and "any"."""
    choice = asked.get("tool_choice")
    kind = choice.get("type") if isinstance(choice, dict) else choice
    if kind in ("required", "any"):
        return tools[:1]
    if kind in ("function", "tool") and isinstance(choice, dict):
        named = choice.get("function") if isinstance(choice.get("function"), dict) else choice
        name = named.get("name") if isinstance(named, dict) else None
        found = tuple(tool for tool in tools if tool.name == name)
        if not found:
            raise Refused(400, f"tool_choice: no tool is called {name!r}", param="tool_choice")
        return found
    return ()


def is_forced(asked: dict[str, Any]) -> bool:
    """Whether the model has no choice but to call."""
    choice = asked.get("tool_choice")
    return isinstance(choice, dict) or choice == "required"


def usable(asked: dict[str, Any], tools: tuple[Tool, ...]) -> tuple[Tool, ...]:
    """The tools that a directive may have called: none where `tool_choice` is none, one where there may be one."""
    choice = asked.get("tool_choice")
    if (choice.get("type") if isinstance(choice, dict) else choice) == "none":
        return ()
    alone = asked.get("parallel_tool_calls") is False or (
        isinstance(choice, dict) and choice.get("disable_parallel_tool_use") is True
    )
    return tools[:1] if alone else tools


def call_id(answer_id: str, choice: int, index: int, prefix: str = "call_") -> str:
    """An id that is the same in every event of one call."""
    return f"{prefix}{answer_id.rpartition('-')[2]}{choice}{index}"
