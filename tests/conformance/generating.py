"""Chats and completions: plain, streamed, with usage, choices, logprobs, stops, grammars and tools."""

from dataclasses import replace
from typing import Any

from tests.conformance import checks
from tests.conformance.cases import Case, posting
from tests.conformance.crossing import UNCHANGED, Crossing, has_an_id_of_the_gateways, refused
from tests.conformance.wire import CONTEXT

MESSAGES: list[Any] = [{"role": "user", "content": "Hello there, how do you do?"}]
ANSWER: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"enum": ["Paris", "Rome"]}},
    "required": ["city"],
    "additionalProperties": False,
}
FUNCTION = {"name": "get_weather", "description": "The weather now.", "parameters": ANSWER, "strict": True}
TOOL = {"type": "function", "function": FUNCTION}
THIS_TOOL = {"type": "function", "function": {"name": "get_weather"}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city":"Rome"}'}}
TOLD: list[Any] = [
    *MESSAGES,
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "call_1", "content": "Rain."},
]
FINAL = {"include_usage": True}
CONTINUOUS = {"include_usage": True, "continuous_usage_stats": True}

_chat = posting("/v1/chat/completions", {"messages": MESSAGES, "max_tokens": 5, "temperature": 0})
_completion = posting("/v1/completions", {"prompt": "Hello there", "max_tokens": 5, "temperature": 0})
_long = {"max_tokens": 60}
_SCHEMA = {"type": "json_schema", "json_schema": {"name": "place", "schema": ANSWER}}
_SAMPLING = {
    "temperature": 1,
    "top_p": 0.9,
    "top_k": 40,
    "min_p": 0.01,
    "logit_bias": {"40": 5},
    "presence_penalty": 0.5,
    "frequency_penalty": 0.5,
    "repetition_penalty": 1.1,
}
_VLLMS_OWN = refused("structured_outputs", why="guided answers are asked for as OpenAI has them, by response_format")
_stream = (checks.is_one_stream, checks.finishes_each_choice_once)
_chat_stream = (*_stream, checks.begins_with_the_role)
_named = replace(_chat(), headers={"x-request-id": "acme-1"})


def _case(name: str, request, *holds, gateway: Crossing = UNCHANGED) -> Case:
    area = "chat" if request.path == "/v1/chat/completions" else "completions"
    return Case(area=area, name=name, request=request, holds=holds, gateway=gateway)


CHAT = [
    _case("plain", _chat(), checks.counts(output=5)),
    _case(
        "takes the caller's request id",
        _named,
        checks.carries_id("chatcmpl-acme-1"),
        gateway=Crossing(
            changes=(has_an_id_of_the_gateways,),
            holds=(checks.carries_the_id_of_its_header,),
            why="the id is the key of the charge, so the gateway gives it, and engine and books have the same",
        ),
    ),
    _case("two choices", _chat(n=2, temperature=1), checks.counts(output=10), checks.has_choices(2)),
    _case("max_completion_tokens alone", _chat(max_tokens=..., max_completion_tokens=3), checks.counts(output=3)),
    _case(
        "max_completion_tokens wins",
        _chat(max_completion_tokens=3),
        checks.counts(output=3),
        gateway=refused("max_completion_tokens", why="who sends both must say which is meant"),
    ),
    _case("seed", _chat(seed=7, temperature=1), checks.counts(output=5)),
    _case("penalties and other ways to sample", _chat(**_SAMPLING), checks.counts(output=5)),
    _case("logprobs", _chat(max_tokens=1, logprobs=True, top_logprobs=2), checks.counts(output=1)),
    _case(
        "max_tokens that the prompt leaves no room for",
        _chat(max_tokens=CONTEXT, ignore_eos=True),
        checks.fills_the_context,
        gateway=refused("ignore_eos", why="no model is made to go on when it is done"),
    ),
    _case(
        "unknown members are ignored",
        _chat(colour="red"),
        checks.counts(output=5),
        gateway=refused("colour", why="what is misspelt is told, never ignored"),
    ),
    _case(
        "a salt for the prefix cache",
        _chat(cache_salt="acme"),
        checks.counts(output=5),
        gateway=refused("cache_salt", why="what only engines and their operators understand never passes"),
    ),
    _case(
        "content in parts",
        _chat(messages=[{"role": "user", "content": [{"type": "text", "text": "Hello"}]}]),
        checks.counts(output=5),
    ),
    _case("stream", _chat(stream=True), *_chat_stream, checks.tells_no_usage),
    _case(
        "stream, usage at the end",
        _chat(stream=True, stream_options=FINAL),
        *_chat_stream,
        checks.counts_at_end(output=5),
        checks.tells_usage_only_at_end,
    ),
    _case(
        "stream, usage in every chunk",
        _chat(stream=True, stream_options=CONTINUOUS),
        *_chat_stream,
        checks.counts_at_end(output=5),
        checks.counts_upwards,
    ),
    _case(
        "stream, continuous usage without include_usage",
        _chat(stream=True, stream_options={"continuous_usage_stats": True}),
        *_chat_stream,
        checks.tells_no_usage,
    ),
    _case("stream, empty stream_options", _chat(stream=True, stream_options={}), *_chat_stream, checks.tells_no_usage),
    _case(
        "stream, two choices",
        _chat(stream=True, n=2, temperature=1, stream_options=CONTINUOUS),
        *_chat_stream,
        checks.counts_at_end(output=10),
        checks.counts_upwards,
    ),
    replace(
        _case("stream, logprobs", _chat(stream=True, logprobs=True, top_logprobs=2), *_chat_stream),
        simulator_differs="its last chunk holds no token, and so no logprobs",
    ),
]

CONSTRAINED = [
    _case(
        "one of two words",
        _chat(structured_outputs={"choice": ["red", "green"]}, **_long),
        checks.says_one_of("red", "green"),
        gateway=_VLLMS_OWN,
    ),
    _case(
        "stream, one of two words",
        _chat(structured_outputs={"choice": ["red", "green"]}, stream=True, **_long),
        *_chat_stream,
        checks.says_one_of("red", "green"),
        gateway=_VLLMS_OWN,
    ),
    _case(
        "JSON after a schema",
        _chat(response_format=_SCHEMA, **_long),
        checks.says_json,
    ),
    _case(
        "stream, JSON after a schema",
        _chat(response_format=_SCHEMA, stream=True, stream_options=FINAL, **_long),
        *_chat_stream,
        checks.says_json,
    ),
    _case("stops before a text", _chat(response_format=_SCHEMA, stop=["city"], **_long), checks.stops_before("city")),
    _case(
        "stream, stops before any text", _chat(response_format=_SCHEMA, stop='{"', stream=True, **_long), *_chat_stream
    ),
]

TOOLS = [
    _case("tools that need not be called", _chat(tools=[TOOL]), checks.counts(output=5)),
    _case("tools that must not be called", _chat(tools=[TOOL], tool_choice="none"), checks.counts(output=5)),
    _case("what a tool has answered", _chat(messages=TOLD, tools=[TOOL]), checks.counts(output=5)),
    _case("a tool that is named", _chat(tools=[TOOL], tool_choice=THIS_TOOL, **_long), checks.calls_the_tool),
    _case(
        "a tool that is required",
        _chat(tools=[TOOL], tool_choice="required", parallel_tool_calls=False, **_long),
        checks.calls_the_tool,
    ),
    _case(
        "stream, a tool that is named",
        _chat(tools=[TOOL], tool_choice=THIS_TOOL, stream=True, **_long),
        *_chat_stream,
        checks.calls_the_tool_in_pieces,
    ),
    _case(
        "stream, a tool that is required",
        _chat(tools=[TOOL], tool_choice="required", parallel_tool_calls=False, stream=True, **_long),
        *_chat_stream,
        checks.calls_the_tool_in_pieces,
    ),
]

COMPLETIONS = [
    _case("plain", _completion(), checks.counts(output=5)),
    _case("two prompts", _completion(prompt=["a b", "c d"]), checks.counts(output=10), checks.has_choices(2)),
    _case("token ids", _completion(prompt=[40, 41, 42]), checks.counts(output=5)),
    _case("logprobs", _completion(max_tokens=1, logprobs=2), checks.counts(output=1)),
    _case("two choices", _completion(n=2, temperature=1), checks.counts(output=10), checks.has_choices(2)),
    _case(
        "the best of two",
        _completion(best_of=2, temperature=1),
        checks.counts(output=5),
        gateway=refused("best_of", why="vLLM ignores it, and the gateway drops nothing in silence"),
    ),
    _case("the best of as many as come", _completion(n=2, best_of=2, temperature=1), checks.has_choices(2)),
    _case("without max_tokens", _completion(max_tokens=...), checks.counts(output=16)),
    _case("echo", _completion(echo=True), checks.counts(output=5), checks.mentions("Hello there")),
    _case("stream", _completion(stream=True), *_stream, checks.tells_no_usage),
    _case(
        "stream, usage at the end",
        _completion(stream=True, stream_options=FINAL),
        *_stream,
        checks.counts_at_end(output=5),
        checks.tells_usage_only_at_end,
    ),
    _case(
        "stream, two choices",
        _completion(n=2, temperature=1, stream=True, stream_options=FINAL),
        *_stream,
        checks.counts_at_end(output=10),
    ),
    replace(
        _case("stream, logprobs", _completion(logprobs=2, stream=True), *_stream),
        simulator_differs="its last chunk holds no token, and so no logprobs",
    ),
    _case(
        "stream, two prompts, usage in every chunk",
        _completion(prompt=["a b", "c d"], stream=True, stream_options=CONTINUOUS),
        *_stream,
        checks.counts_at_end(output=10),
        checks.counts_upwards,
    ),
]

CASES = [*CHAT, *CONSTRAINED, *TOOLS, *COMPLETIONS]
