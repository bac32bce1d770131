import time

import pytest

from inference.simulator import words
from tests.inference.simulator.client import COMPLETIONS

QUICK = "ttft=0 gap=1"


def test_a_stream_is_role_content_finish_and_the_end_marker(sim):
    reply = sim.ask(f"[[sim tokens=3 {QUICK}]]", stream=True)
    first, *content, last = [event["choices"][0] for event in reply.events]
    assert first["delta"] == {"role": "assistant", "content": ""}
    assert [choice["finish_reason"] for choice in content] == [None] * 3
    assert (last["delta"], last["finish_reason"]) == ({}, "stop")
    assert reply.data[-1] == "[DONE]"
    assert reply.whole


@pytest.mark.parametrize("gap", [0, 1])
def test_every_token_is_an_event_of_its_own(sim, gap):
    reply = sim.ask(f"[[sim tokens=150 ttft=0 gap={gap}]]", stream=True)
    assert len(reply.deltas) == 150
    assert reply.chunks == [f"data: {data}\n\n".encode() for data in reply.data]


def test_streamed_and_plain_say_the_same(sim):
    text = f"[[sim tokens=40 {QUICK}]] Say it."
    plain = sim.ask(text).json["choices"][0]["message"]["content"]
    assert "".join(sim.ask(text, stream=True).deltas) == plain


def test_the_text_follows_from_the_prompt(sim):
    text = f"[[sim tokens=12 {QUICK}]]"
    seed = words.seed_of(f"user\0{text}\0".encode())
    assert "".join(sim.ask(text, stream=True).deltas) == words.text(seed, 12)


def test_the_incoming_request_id_names_the_answer(sim):
    reply = sim.ask(f"[[sim tokens=1 {QUICK}]]", stream=True, request_id="abc-1")
    assert {event["id"] for event in reply.events} == {"chatcmpl-abc-1"}


def test_max_tokens_wins_over_the_directive(sim):
    reply = sim.ask(f"[[sim tokens=9 {QUICK}]]", stream=True, max_tokens=4)
    assert (len(reply.deltas), reply.events[-1]["choices"][0]["finish_reason"]) == (4, "length")


def test_several_choices_are_streamed_side_by_side(sim):
    reply = sim.ask(f"[[sim tokens=2 {QUICK}]]", stream=True, n=2)
    indexes = [event["choices"][0]["index"] for event in reply.events]
    assert indexes == [0, 1] * 4


def test_a_completion_streams_text_without_a_role(sim):
    reply = sim.ask(f"[[sim tokens=2 {QUICK}]]", COMPLETIONS, stream=True)
    texts = [event["choices"][0]["text"] for event in reply.events]
    assert [bool(text) for text in texts] == [True, True, False]
    assert {event["object"] for event in reply.events} == {"text_completion"}
    assert reply.events[0]["id"].startswith("cmpl-")


def test_each_token_comes_when_it_is_due(sim):
    with sim.asking("[[sim tokens=5 ttft=0 gap=50]]", stream=True) as wire:
        started, arrivals = time.monotonic(), []
        while b"[DONE]" not in wire.received:
            wire.read()
            arrivals.append(time.monotonic() - started)
    assert arrivals[0] < 0.2
    assert len(arrivals) >= 5
    assert arrivals[-1] >= 0.245


def test_the_end_marker_may_be_missing(sim):
    reply = sim.ask(f"[[sim tokens=2 {QUICK} no_done]]", stream=True)
    assert reply.whole
    assert "[DONE]" not in reply.data


def test_the_end_marker_may_come_twice(sim):
    assert sim.ask(f"[[sim tokens=2 {QUICK} dup_done]]", stream=True).data[-2:] == ["[DONE]", "[DONE]"]


@pytest.mark.parametrize("gap", [0, 1])
@pytest.mark.parametrize("after", [0, 3, 10])
def test_dying_ends_the_connection_without_an_end(sim, after, gap):
    request_id = f"die-{after}-{gap}"
    reply = sim.ask(f"[[sim tokens=10 ttft=0 gap={gap} die_after={after}]]", stream=True, request_id=request_id)
    assert (len(reply.deltas), reply.whole, reply.reset) == (after, False, False)
    assert reply.events[0]["choices"][0]["delta"]["role"] == "assistant"
    record = sim.record(request_id)
    assert (record["ended"], record["completion_tokens"]) == ("died", after)


@pytest.mark.parametrize("gap", [0, 1])
def test_a_reset_is_a_reset(sim, gap):
    request_id = f"reset-{gap}"
    reply = sim.ask(f"[[sim tokens=10 ttft=0 gap={gap} rst_after=3]]", stream=True, request_id=request_id)
    assert (len(reply.deltas), reply.whole, reply.reset) == (3, False, True)
    assert (sim.record(request_id)["ended"], sim.record(request_id)["completion_tokens"]) == ("reset", 3)


@pytest.mark.parametrize("kind", ["die_after", "rst_after"])
def test_minus_one_ends_the_connection_before_any_byte(sim, kind):
    reply = sim.ask(f"[[sim tokens=10 ttft=0 {kind}=-1]]", stream=True)
    assert (reply.status, reply.body, reply.reset) == (0, b"", kind == "rst_after")


def test_a_fault_beyond_the_end_never_happens(sim):
    reply = sim.ask(f"[[sim tokens=3 {QUICK} die_after=4]]", stream=True)
    assert (reply.whole, reply.data[-1]) == (True, "[DONE]")


def test_hanging_is_silence_on_an_open_connection(sim):
    with sim.asking(f"[[sim tokens=10 {QUICK} hang_after=2]]", "hang-2", stream=True) as wire:
        wire.read_until(b"delta")
        wire.socket.settimeout(0.5)
        with pytest.raises(TimeoutError):
            wire.reply()
        hanging = sim.record("hang-2", ended=False)
        assert (hanging["ended"], hanging["ended_at"], hanging["completion_tokens"]) == ("hung", None, 2)
    assert sim.record("hang-2")["ended"] == "hung"


def test_an_error_event_has_vllms_body_and_an_end_marker(sim):
    reply = sim.ask(f"[[sim tokens=10 {QUICK} err_event=2]]", stream=True, request_id="err-2")
    assert len([event for event in reply.events if "choices" in event]) == 1 + 2
    assert reply.events[-1]["error"]["code"] == 500
    assert (reply.data[-1], reply.whole) == ("[DONE]", True)
    assert sim.record("err-2")["ended"] == "error"


def test_an_error_before_the_first_token_is_the_first_event(sim):
    assert "error" in sim.ask("[[sim tokens=10 ttft=0 err_event=0]]", stream=True).events[0]


@pytest.mark.parametrize("gap", [0, 1])
def test_a_reader_that_stops_holds_the_stream_up_and_loses_nothing(sim, gap):
    with sim.asking(f"[[sim tokens=30000 ttft=0 gap={gap / 1000}]]", f"slow-{gap}", stream=True) as wire:
        time.sleep(0.5)
        assert sim.record(f"slow-{gap}", ended=False)["ended"] is None
        reply = wire.reply()
    assert (len(reply.deltas), reply.whole) == (30000, True)
