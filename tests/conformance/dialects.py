"""OpenAI's responses and Anthropic's messages, as vLLM speaks them."""

from tests.conformance import checks
from tests.conformance.cases import Case, posting
from tests.conformance.generating import ANSWER, FUNCTION, MESSAGES

_responses = posting("/v1/responses", {"input": "Hello there", "max_output_tokens": 5, "temperature": 0})
_messages = posting("/v1/messages", {"messages": MESSAGES, "max_tokens": 5, "temperature": 0})
_count = posting("/v1/messages/count_tokens", {"messages": MESSAGES})
_function = {"type": "function", **FUNCTION}
_calling = {"tools": [_function], "tool_choice": {"type": "function", "name": "get_weather"}, "max_output_tokens": 60}
_tool = {"name": "get_weather", "input_schema": ANSWER, "strict": True}
_named = {"type": "tool", "name": "get_weather"}


def _response(name: str, request, *holds) -> Case:
    return Case(area="responses", name=name, request=request, holds=holds)


def _message(name: str, request, *holds) -> Case:
    return Case(area="messages", name=name, request=request, holds=holds)


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
    _response("a tool", _responses(**_calling)),
    _response("stream, a tool", _responses(**_calling, stream=True), checks.names_its_events),
]

MESSAGES_CASES = [
    _message("plain", _messages(), checks.counts_as_messages_do(output=5)),
    _message("system", _messages(system="Be brief."), checks.counts_as_messages_do(output=5)),
    _message("stream", _messages(stream=True), checks.counts_as_messages_do(output=5), checks.names_its_events),
    _message("a tool", _messages(tools=[_tool], tool_choice=_named, max_tokens=60)),
    _message(
        "stream, a tool",
        _messages(tools=[_tool], tool_choice=_named, max_tokens=60, stream=True),
        checks.names_its_events,
    ),
    _message("count tokens", _count()),
]

CASES = [*RESPONSES, *MESSAGES_CASES]
