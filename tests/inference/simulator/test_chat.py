import json
from itertools import pairwise

import pytest

from tests.inference.simulator.client import CHAT

QUICK = "ttft=0 gap=0"
FINAL = {"include_usage": True}
GATE = {"type": "object", "properties": {"gate": {"type": "string"}, "coins": {"type": "integer"}}}
TOOLS = [{"type": "function", "function": {"name": name, "parameters": GATE}} for name in ("toll", "pay")]


def _calls(reply):
    """The calls that a stream's deltas add up to: names and arguments, by index."""
    deltas = [choice["delta"] for event in reply.events for choice in event["choices"]]
    names: dict[int, str] = {}
    arguments: dict[int, str] = {}
    for call in (call for delta in deltas for call in delta.get("tool_calls", ())):
        names[call["index"]] = names.get(call["index"], "") + call["function"].get("name", "")
        arguments[call["index"]] = arguments.get(call["index"], "") + call["function"].get("arguments", "")
    return names, {index: json.loads(text) for index, text in arguments.items()}


def test_tools_are_called_side_by_side(sim):
    (choice,) = sim.ask(f"[[sim tools=2 {QUICK}]]", tools=TOOLS).json["choices"]
    calls = choice["message"]["tool_calls"]
    assert [call["function"]["name"] for call in calls] == ["toll", "pay"]
    assert json.loads(calls[0]["function"]["arguments"]) == {"gate": "toll gate", "coins": 0}
    assert (choice["finish_reason"], choice["message"]["content"]) == ("tool_calls", None)
    assert len({call["id"] for call in calls}) == 2


def test_streamed_calls_add_up(sim):
    reply = sim.ask(f"[[sim tools=2 {QUICK}]]", tools=TOOLS, stream=True)
    names, arguments = _calls(reply)
    assert (names, arguments[0]) == ({0: "toll", 1: "pay"}, {"gate": "toll gate", "coins": 0})
    assert reply.events[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_text_may_come_before_the_calls(sim):
    reply = sim.ask(f"[[sim tokens=3 tools=1 {QUICK}]]", tools=TOOLS, stream=True)
    assert (len(reply.deltas), _calls(reply)[0]) == (3, {0: "toll"})


@pytest.mark.parametrize(
    ("members", "called"),
    [
        ({"tool_choice": "required"}, ["toll"]),
        ({"tool_choice": {"type": "function", "function": {"name": "pay"}}}, ["pay"]),
        ({"tool_choice": "auto"}, []),
    ],
)
def test_a_forced_tool_is_called_without_a_directive(sim, members, called):
    message = sim.ask(f"[[sim {QUICK}]]", tools=TOOLS, **members).json["choices"][0]["message"]
    assert [call["function"]["name"] for call in message.get("tool_calls", ())] == called


@pytest.mark.parametrize(("members", "calls"), [({"tool_choice": "none"}, 0), ({"parallel_tool_calls": False}, 1)])
def test_the_request_may_forbid_calls(sim, members, calls):
    message = sim.ask(f"[[sim tools=2 {QUICK}]]", tools=TOOLS, **members).json["choices"][0]["message"]
    assert len(message.get("tool_calls", ())) == calls


def test_a_tool_that_is_not_offered_cannot_be_chosen(sim):
    choice = {"type": "function", "function": {"name": "fly"}}
    assert sim.ask("x", tools=TOOLS, tool_choice=choice).status == 400


def test_a_call_that_the_limit_cuts_ends_for_length(sim):
    (choice,) = sim.ask(f"[[sim tools=1 {QUICK}]]", tools=TOOLS, max_tokens=2).json["choices"]
    assert choice["message"]["tool_calls"][0]["function"]["arguments"] == '{"gate":'
    assert choice["finish_reason"] == "length"


def test_definitions_of_tools_are_part_of_the_prompt(sim):
    counts = [sim.ask("Hello", max_tokens=1, **members).json["usage"] for members in ({}, {"tools": TOOLS})]
    assert counts[1]["prompt_tokens"] > counts[0]["prompt_tokens"] + 20


def test_a_schema_is_answered_with_its_json(sim):
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": GATE}}
    for stream in (False, True):
        reply = sim.ask(f"[[sim {QUICK}]]", response_format=wanted, stream=stream)
        text = "".join(reply.deltas) if stream else reply.json["choices"][0]["message"]["content"]
        assert json.loads(text) == {"gate": "toll gate", "coins": 0}


def test_a_json_object_is_one(sim):
    answer = sim.ask(f"[[sim {QUICK}]]", response_format={"type": "json_object"}).json
    assert isinstance(json.loads(answer["choices"][0]["message"]["content"]), dict)


@pytest.mark.parametrize("wanted", ["json", {"type": "json_schema"}, {"type": "json_schema", "json_schema": {}}])
def test_a_format_without_a_schema_is_refused(sim, wanted):
    assert sim.ask("x", response_format=wanted).status == 400


def test_reasoning_comes_first_and_counts(sim):
    text = f"[[sim reasoning=4 tokens=2 {QUICK}]]"
    reply = sim.ask(text, stream=True, stream_options={"include_usage": True})
    deltas = [event["choices"][0]["delta"] for event in reply.events if event["choices"]]
    kinds = [name for delta in deltas for name in ("reasoning_content", "content") if delta.get(name)]
    assert kinds == ["reasoning_content"] * 4 + ["content"] * 2
    usage = reply.events[-1]["usage"]
    assert (usage["completion_tokens"], usage["completion_tokens_details"]) == (6, {"reasoning_tokens": 4})
    message = sim.ask(text).json["choices"][0]["message"]
    assert len(message["reasoning_content"].split(" ")) == 4
    assert message["reasoning"] == message["reasoning_content"]


def test_a_limit_within_the_reasoning_leaves_no_text(sim):
    (choice,) = sim.ask(f"[[sim reasoning=9 tokens=2 {QUICK}]]", max_tokens=5).json["choices"]
    assert (choice["finish_reason"], choice["message"]["content"]) == ("length", None)


def test_a_refusal_is_no_content(sim):
    text = f"[[sim refusal tokens=3 {QUICK}]]"
    message = sim.ask(text).json["choices"][0]["message"]
    assert message["content"] is None
    deltas = [event["choices"][0]["delta"] for event in sim.ask(text, stream=True).events]
    assert "".join(delta.get("refusal", "") for delta in deltas) == message["refusal"]


def test_logprobs_name_each_token(sim):
    (choice,) = sim.ask(f"[[sim tokens=3 {QUICK}]]", logprobs=True, top_logprobs=2).json["choices"]
    entries = choice["logprobs"]["content"]
    assert "".join(entry["token"] for entry in entries) == choice["message"]["content"]
    assert all(bytes(entry["bytes"]).decode() == entry["token"] for entry in entries)
    tops = [pairwise(entry["top_logprobs"]) for entry in entries]
    assert all(first["logprob"] > second["logprob"] for pairs in tops for first, second in pairs)


def test_streamed_logprobs_stand_at_their_tokens(sim):
    reply = sim.ask(f"[[sim tokens=3 {QUICK}]]", logprobs=True, stream=True)
    choices = [event["choices"][0] for event in reply.events]
    assert [len(choice["logprobs"]["content"]) for choice in choices if choice["logprobs"]] == [1, 1, 1]


def test_several_choices_call_their_own_tools(sim):
    choices = sim.ask(f"[[sim tools=1 {QUICK}]]", tools=TOOLS, n=2).json["choices"]
    assert len({choice["message"]["tool_calls"][0]["id"] for choice in choices}) == 2


@pytest.mark.parametrize("after", [0, 2, 5])
def test_a_call_can_be_cut_off(sim, after):
    reply = sim.ask(f"[[sim tools=1 die_after={after} {QUICK}]]", tools=TOOLS, stream=True, request_id=f"call-{after}")
    assert reply.whole is False
    assert sim.record(f"call-{after}")["completion_tokens"] == after


def test_pictures_count_as_tokens(sim):
    parts = [{"type": "text", "text": "1234"}, {"type": "image_url", "image_url": {"url": "data:,"}}]
    answer = sim.post(CHAT, messages=[{"role": "user", "content": parts}], max_tokens=1).json
    assert answer["usage"]["prompt_tokens"] == 4 + 1 + 256


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_ends_before_a_text_that_stops_it(sim, stream):
    asked = f"[[sim tokens=40 {QUICK}]] Tell me."
    whole = sim.ask(asked).json["choices"][0]["message"]["content"]
    stop = whole.split()[9]
    reply = sim.ask(asked, stop=["not said", stop], stream=stream, **({"stream_options": FINAL} if stream else {}))
    said = "".join(reply.deltas) if stream else reply.json["choices"][0]["message"]["content"]
    last = [event for event in reply.events if event["choices"]][-1] if stream else reply.json
    usage = reply.events[-1]["usage"] if stream else reply.json["usage"]
    assert said == whole[: whole.index(stop)]
    assert (last["choices"][0]["finish_reason"], last["choices"][0]["stop_reason"]) == ("stop", stop)
    # What stops it has been made, if not said.
    assert len(said.split()) < usage["completion_tokens"] < 40


def test_what_stops_none_of_them_lets_choices_be(sim):
    choices = sim.ask(f"[[sim tokens=9 {QUICK}]]", stop="not said", n=2).json["choices"]
    assert [(choice["finish_reason"], choice["stop_reason"]) for choice in choices] == [("stop", None)] * 2
