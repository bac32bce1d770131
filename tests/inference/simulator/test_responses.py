import json

import pytest

RESPONSES = "/v1/responses"
QUICK = "ttft=0 gap=0"
GATE = {"type": "object", "properties": {"gate": {"type": "integer"}}}
TOOL = {"type": "function", "name": "toll", "parameters": GATE}


def _ask(sim, text, **members):
    return sim.post(RESPONSES, input=text, **members)


def test_a_response_has_items_and_usage(sim):
    answer = _ask(sim, f"[[sim tokens=3 {QUICK}]]").json
    assert (answer["object"], answer["status"], answer["output"][0]["type"]) == ("response", "completed", "message")
    usage = answer["usage"]
    assert (usage["output_tokens"], usage["output_tokens_details"]["reasoning_tokens"]) == (3, 0)
    assert usage["input_tokens_details"]["cached_tokens"] == 0


def test_the_events_of_a_text_come_in_order_and_numbered(sim):
    reply = _ask(sim, f"[[sim tokens=2 {QUICK}]]", stream=True)
    assert [event["type"].removeprefix("response.") for event in reply.events] == [
        *("created", "in_progress", "output_item.added", "content_part.added"),
        *("output_text.delta", "output_text.delta", "output_text.done", "content_part.done"),
        *("output_item.done", "completed"),
    ]
    assert [event["sequence_number"] for event in reply.events] == list(range(10))
    assert reply.events[-1]["response"]["usage"]["output_tokens"] == 2


def test_the_last_event_holds_what_a_plain_answer_says(sim):
    text = f"[[sim reasoning=2 tokens=5 {QUICK}]]"
    streamed, plain = _ask(sim, text, stream=True).events[-1]["response"], _ask(sim, text).json
    texts = [[item["content"][0]["text"] for item in answer["output"]] for answer in (streamed, plain)]
    assert texts[0] == texts[1]
    assert plain["usage"]["output_tokens_details"]["reasoning_tokens"] == 2


def test_functions_are_called_side_by_side(sim):
    reply = _ask(sim, f"[[sim tools=2 {QUICK}]]", tools=[TOOL, {**TOOL, "name": "pay"}], stream=True)
    calls = reply.events[-1]["response"]["output"]
    assert [(call["type"], call["name"]) for call in calls] == [("function_call", "toll"), ("function_call", "pay")]
    done = [event for event in reply.events if event["type"] == "response.function_call_arguments.done"]
    assert [json.loads(event["arguments"]) for event in done] == [{"gate": 0}] * 2


def test_a_cut_response_is_incomplete(sim):
    answer = _ask(sim, f"[[sim tokens=9 {QUICK}]]", max_output_tokens=4).json
    assert (answer["status"], answer["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})


def test_the_end_marker_is_the_last_event(sim):
    types = [event["type"] for event in _ask(sim, f"[[sim tokens=1 dup_done {QUICK}]]", stream=True).events]
    assert types[-2:] == ["response.completed"] * 2
    assert "response.completed" not in _ask(sim, f"[[sim tokens=1 no_done {QUICK}]]", stream=True).body.decode()


def test_an_error_ends_the_stream(sim):
    reply = _ask(sim, f"[[sim tokens=5 err_event=2 {QUICK}]]", stream=True)
    assert (reply.events[-1]["type"], reply.whole) == ("error", True)


def test_a_text_is_json_for_its_schema(sim):
    wanted = {"type": "json_schema", "name": "x", "schema": GATE}
    answer = sim.post(RESPONSES, input=f"[[sim {QUICK}]]", text={"format": wanted}).json
    assert json.loads(answer["output"][0]["content"][0]["text"]) == {"gate": 0}


def test_items_of_an_earlier_turn_are_read(sim):
    called = {"type": "function_call", "call_id": "a", "name": "toll", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "a", "output": "42"}
    last = {"role": "user", "content": [{"type": "input_text", "text": f"[[sim tokens=4 {QUICK}]]"}]}
    assert sim.post(RESPONSES, input=[called, output, last]).json["usage"]["output_tokens"] == 4


@pytest.mark.parametrize("given", [None, [], 5, ["text"]])
def test_what_is_no_input_is_refused(sim, given):
    assert _ask(sim, given).status == 400
