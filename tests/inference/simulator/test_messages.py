import json

import pytest

MESSAGES = "/v1/messages"
QUICK = "ttft=0 gap=0"
TOOL = {"name": "toll", "input_schema": {"type": "object", "properties": {"gate": {"type": "string"}}}}


def _ask(sim, text, **members):
    return sim.post(MESSAGES, **{"messages": [{"role": "user", "content": text}], "max_tokens": 500, **members})


def test_a_message_has_anthropics_shape(sim):
    answer = _ask(sim, f"[[sim tokens=3 {QUICK}]]").json
    assert (answer["type"], answer["role"], answer["stop_reason"]) == ("message", "assistant", "end_turn")
    assert [block["type"] for block in answer["content"]] == ["text"]
    assert answer["usage"]["output_tokens"] == 3


def test_a_stream_goes_from_message_start_to_message_stop(sim):
    reply = _ask(sim, f"[[sim tokens=2 {QUICK}]]", stream=True)
    types = [event["type"] for event in reply.events]
    deltas = ["content_block_delta"] * 2
    ends = ["content_block_stop", "message_delta", "message_stop"]
    assert types == ["message_start", "content_block_start", *deltas, *ends]
    assert reply.events[-2]["usage"]["output_tokens"] == 2
    assert json.loads(reply.data[-1]) == {"type": "message_stop"}


def test_streamed_and_plain_say_the_same(sim):
    text = f"[[sim tokens=30 {QUICK}]]"
    events = _ask(sim, text, stream=True).events
    said = "".join(event["delta"]["text"] for event in events if event["type"] == "content_block_delta")
    assert said == _ask(sim, text).json["content"][0]["text"]


def test_thinking_comes_in_a_block_that_is_signed(sim):
    reply = _ask(sim, f"[[sim reasoning=2 tokens=1 {QUICK}]]", stream=True)
    kinds = [event["delta"]["type"] for event in reply.events if event["type"] == "content_block_delta"]
    assert kinds == ["thinking_delta", "thinking_delta", "signature_delta", "text_delta"]
    assert reply.events[-2]["usage"]["output_tokens"] == 3


def test_tools_are_used_with_arguments_that_fit(sim):
    text = f"[[sim tools=1 {QUICK}]]"
    answer = _ask(sim, text, tools=[TOOL]).json
    assert (answer["stop_reason"], answer["content"][0]["name"]) == ("tool_use", "toll")
    assert isinstance(answer["content"][0]["input"]["gate"], str)
    events = _ask(sim, text, tools=[TOOL], stream=True).events
    parts = [event["delta"]["partial_json"] for event in events if event["type"] == "content_block_delta"]
    assert json.loads("".join(parts)) == answer["content"][0]["input"]


def test_a_cut_message_says_so(sim):
    assert _ask(sim, f"[[sim tokens=9 {QUICK}]]", max_tokens=4).json["stop_reason"] == "max_tokens"


def test_cached_tokens_are_not_among_the_input_tokens(sim):
    text = f"[[sim tokens=1 {QUICK}]]" + "once more " * 40
    first, second = (_ask(sim, text).json["usage"] for _ in range(2))
    assert second["cache_read_input_tokens"] > 0
    assert second["cache_read_input_tokens"] <= first["cache_creation_input_tokens"] + first["input_tokens"]
    assert sum(_input(second)) == sum(_input(first))


def test_tokens_are_counted_as_the_message_would_be(sim):
    members = {"messages": [{"role": "user", "content": f"[[sim tokens=1 {QUICK}]] count"}], "system": "Be brief."}
    counted = sim.post("/v1/messages/count_tokens", **members).json["input_tokens"]
    assert counted == sum(_input(sim.post(MESSAGES, max_tokens=1, **members).json["usage"]))


def _input(usage):
    return [usage[name] for name in ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")]


def test_an_error_in_the_stream_is_anthropics(sim):
    reply = _ask(sim, f"[[sim tokens=5 err_event=2 {QUICK}]]", stream=True, request_id="message-error")
    (failed,) = [event for event in reply.events if event["type"] == "error"]
    assert failed["error"]["type"] == "api_error"
    assert sim.record("message-error")["ended"] == "error"


@pytest.mark.parametrize("after", [0, 3])
def test_a_message_is_cut_after_its_kth_token(sim, after):
    reply = _ask(sim, f"[[sim tokens=9 die_after={after} {QUICK}]]", stream=True, request_id=f"message-{after}")
    assert (reply.whole, sim.record(f"message-{after}")["completion_tokens"]) == (False, after)


def test_a_conversation_without_messages_is_refused_in_anthropics_shape(sim):
    reply = _ask(sim, "x", messages=[])
    assert (reply.status, reply.json["type"], reply.json["error"]["type"]) == (400, "error", "BadRequestError")


@pytest.mark.parametrize("members", [{"max_tokens": None}, {"max_tokens": 0}])
def test_a_member_of_the_wrong_kind_is_refused_in_openais_shape_even_here(sim, members):
    reply = _ask(sim, "x", **members)
    assert (reply.status, reply.json["error"]["param"]) == (400, "body.max_tokens")


def test_the_end_marker_may_be_missing(sim):
    assert _ask(sim, f"[[sim tokens=1 no_done {QUICK}]]", stream=True).events[-1]["type"] == "message_delta"


def test_a_directive_beside_a_tools_result_is_obeyed(sim):
    result = {"type": "tool_result", "tool_use_id": "a", "content": "42"}
    text = {"type": "text", "text": f"[[sim tokens=7 {QUICK}]]"}
    answer = sim.post(MESSAGES, messages=[{"role": "user", "content": [result, text]}], max_tokens=50).json
    assert answer["usage"]["output_tokens"] == 7
