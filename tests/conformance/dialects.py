"""OpenAI's responses and Anthropic's messages, as vLLM speaks them."""

from tests.conformance import checks
from tests.conformance.cases import Case, posting
from tests.conformance.crossing import UNCHANGED, Crossing, refused, tells_only_the_count
from tests.conformance.generating import ANSWER, FUNCTION, MESSAGES

_responses = posting("/v1/responses", {"input": "Hello there", "max_output_tokens": 5, "temperature": 0})
_messages = posting("/v1/messages", {"messages": MESSAGES, "max_tokens": 5, "temperature": 0})
_count = posting("/v1/messages/count_tokens", {"messages": MESSAGES})
_function = {"type": "function", **FUNCTION}
_calling = {"tools": [_function], "tool_choice": {"type": "function", "name": "get_weather"}, "max_output_tokens": 60}
_tool = {"name": "get_weather", "input_schema": ANSWER, "strict": True}
_named = {"type": "tool", "name": "get_weather"}


_text = {"format": {"type": "json_schema", "name": "place", "schema": ANSWER}}
_output = {"format": {"type": "json_schema", "schema": ANSWER}}
_asked = {"role": "user", "content": "What is the weather in Rome?"}
_items = [
    _asked,
    {"type": "function_call", "call_id": "call_1", "name": "get_weather", "arguments": '{"city":"Rome"}'},
    {"type": "function_call_output", "call_id": "call_1", "output": "Rain."},
]
_blocks = [
    _asked,
    {
        "role": "assistant",
        "content": [{"type": "tool_use", "id": "t_1", "name": "get_weather", "input": {"city": "Rome"}}],
    },
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t_1", "content": "Rain."}]},
]


def _response(name: str, request, *holds, gateway: Crossing = UNCHANGED) -> Case:
    return Case(area="responses", name=name, request=request, holds=holds, gateway=gateway)


def _message(name: str, request, *holds, gateway: Crossing = UNCHANGED) -> Case:
    return Case(area="messages", name=name, request=request, holds=holds, gateway=gateway)


RESPONSES = [
    _response("plain", _responses(), checks.counts_as_responses_do(output=5)),
    _response("input in messages", _responses(input=MESSAGES), checks.counts_as_responses_do(output=5)),
    _response(
        "stream",
        _responses(stream=True),
        checks.counts_as_responses_do(output=5),
        checks.names_its_events,
        checks.numbers_its_events,
    ),
    _response("instructions", _responses(instructions="Be brief."), checks.counts_as_responses_do(output=5)),
    _response("JSON after a schema", _responses(text=_text, max_output_tokens=60), checks.says_json_in_items),
    _response(
        "stream, JSON after a schema",
        _responses(text=_text, max_output_tokens=60, stream=True),
        checks.says_json_in_items,
        checks.names_its_events,
        checks.numbers_its_events,
    ),
    _response(
        "what a tool has answered",
        _responses(input=_items, tools=[_function]),
        checks.counts_as_responses_do(output=5),
    ),
    _response(
        "a tool that is required", _responses(**_calling | {"tool_choice": "required", "parallel_tool_calls": False})
    ),
    _response(
        "tools that a provider would run",
        _responses(tools=[{"type": "web_search"}]),
        gateway=refused("tools[0]", why="what an engine runs by itself is neither bounded nor charged"),
    ),
    _response("a tool", _responses(**_calling)),
    _response("stream, a tool", _responses(**_calling, stream=True), checks.names_its_events),
]

MESSAGES_CASES = [
    _message("plain", _messages(), checks.counts_as_messages_do(output=5)),
    _message("system", _messages(system="Be brief."), checks.counts_as_messages_do(output=5)),
    _message("stream", _messages(stream=True), checks.counts_as_messages_do(output=5), checks.names_its_events),
    _message("system in blocks", _messages(system=[{"type": "text", "text": "Be brief."}])),
    _message("JSON after a schema", _messages(output_config=_output, max_tokens=60), checks.says_json_in_blocks),
    _message(
        "stream, JSON after a schema",
        _messages(output_config=_output, max_tokens=60, stream=True),
        checks.says_json_in_blocks,
        checks.names_its_events,
    ),
    _message("stops before a text", _messages(output_config=_output, max_tokens=60, stop_sequences=["city"])),
    _message(
        "stream, stops before a text",
        _messages(output_config=_output, max_tokens=60, stop_sequences=["city"], stream=True),
        checks.names_its_events,
    ),
    _message(
        "stream, stops before any text",
        _messages(output_config=_output, max_tokens=60, stop_sequences=['{"'], stream=True),
        checks.names_its_events,
    ),
    _message("what a tool has answered", _messages(messages=_blocks, tools=[_tool])),
    _message(
        "a tool of any name",
        _messages(tools=[_tool], tool_choice={"type": "any", "disable_parallel_tool_use": True}, max_tokens=60),
    ),
    _message(
        "unknown members are ignored",
        _messages(colour="red"),
        gateway=refused("colour", why="what is misspelt is told, never ignored"),
    ),
    _message("a tool", _messages(tools=[_tool], tool_choice=_named, max_tokens=60)),
    _message(
        "stream, a tool",
        _messages(tools=[_tool], tool_choice=_named, max_tokens=60, stream=True),
        checks.names_its_events,
    ),
    _message("count tokens", _count(), gateway=Crossing(changes=(tells_only_the_count,))),
    _message(
        "count tokens, system and tools",
        _count(system="Be brief.", tools=[_tool]),
        gateway=Crossing(changes=(tells_only_the_count,)),
    ),
]

CASES = [*RESPONSES, *MESSAGES_CASES]
