import time

import pytest

from inference.simulator import words
from tests.inference.simulator.client import COMPLETIONS

QUICK = "ttft=0 gap=1"


def test_an_answer_has_vllms_shape(sim):
    answer = sim.ask(f"[[sim tokens=3 {QUICK}]]", request_id="abc-1").json
    assert (answer["id"], answer["object"], answer["model"]) == ("chatcmpl-abc-1", "chat.completion", "sim")
    (choice,) = answer["choices"]
    assert (choice["index"], choice["finish_reason"], choice["stop_reason"]) == (0, "stop", None)
    assert choice["message"]["role"] == "assistant"
    assert answer["usage"]["total_tokens"] == answer["usage"]["prompt_tokens"] + 3


def test_the_answer_is_the_same_each_time(sim):
    texts = {sim.ask("Who goes there?", max_tokens=6).json["choices"][0]["message"]["content"] for _ in range(3)}
    assert texts == {words.text(words.seed_of(b"user\0Who goes there?\0"), 6)}


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_the_limit_of_tokens_is_kept(sim, name):
    answer = sim.ask(f"[[sim tokens=9 {QUICK}]]", **{name: 4}).json
    assert (answer["usage"]["completion_tokens"], answer["choices"][0]["finish_reason"]) == (4, "length")


def test_a_limit_that_is_just_reached_is_no_cut(sim):
    assert sim.ask(f"[[sim tokens=4 {QUICK}]]", max_tokens=4).json["choices"][0]["finish_reason"] == "stop"


def test_several_choices_differ_and_are_all_counted(sim):
    answer = sim.ask(f"[[sim tokens=5 {QUICK}]]", n=3).json
    assert len({choice["message"]["content"] for choice in answer["choices"]}) == 3
    assert answer["usage"]["completion_tokens"] == 15


def test_a_completion_of_several_prompts_has_a_choice_for_each(sim):
    answer = sim.ask("", COMPLETIONS, prompt=["one", f"[[sim tokens=2 {QUICK}]]"]).json
    assert [choice["index"] for choice in answer["choices"]] == [0, 1]
    assert answer["id"].startswith("cmpl-")
    assert answer["usage"]["completion_tokens"] == 4


def test_a_completion_ends_at_sixteen_tokens_unless_told(sim):
    assert sim.ask("Go on", COMPLETIONS).json["usage"]["completion_tokens"] == 16


def test_no_tokens_is_an_empty_answer(sim):
    answer = sim.ask(f"[[sim tokens=0 {QUICK}]]").json
    assert (answer["choices"][0]["message"]["content"], answer["usage"]["completion_tokens"]) == ("", 0)


@pytest.mark.parametrize("kind", ["die_after", "rst_after"])
@pytest.mark.parametrize("after", [0, 3, 8])
def test_a_body_is_cut_after_its_kth_token(sim, kind, after):
    request_id = f"{kind}-{after}"
    reply = sim.ask(f"[[sim tokens=8 {QUICK} {kind}={after}]]", request_id=request_id)
    seed = words.seed_of(f"user\0[[sim tokens=8 {QUICK} {kind}={after}]]\0".encode())
    assert reply.status == 200
    assert reply.whole is False
    assert reply.reset is (kind == "rst_after")
    assert reply.body.endswith(b"".join([b'"content":"', *words.tokens(seed, 0, after)]))
    assert sim.record(request_id)["completion_tokens"] == after


def test_minus_one_ends_the_connection_before_any_byte(sim):
    assert sim.ask("[[sim ttft=0 die_after=-1]]").status == 0


def test_hanging_gives_no_answer_at_all(sim):
    with sim.asking(f"[[sim tokens=10 {QUICK} hang_after=2]]", "plain-hang") as wire:
        wire.socket.settimeout(0.2)
        with pytest.raises(TimeoutError):
            wire.read()
    assert sim.record("plain-hang")["ended"] == "hung"


def test_an_engine_error_is_a_500_with_vllms_body(sim):
    reply = sim.ask(f"[[sim tokens=10 {QUICK} err_event=2]]", request_id="plain-err")
    assert (reply.status, reply.json["error"]["code"]) == (500, 500)
    assert sim.record("plain-err")["ended"] == "error"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", [302, 400, 404, 429, 500, 503, 599])
def test_a_status_comes_in_place_of_an_answer(sim, stream, status):
    request_id = f"status-{status}-{stream}"
    reply = sim.ask(f"[[sim status={status}]]", stream=stream, request_id=request_id)
    assert (reply.status, reply.json["error"]["code"]) == (status, status)
    record = sim.record(request_id)
    assert (record["ended"], record["status"], record["running"]) == ("status", status, 0)


def test_a_status_401_has_vllms_body(sim):
    assert sim.ask("[[sim status=401]]").json == {"error": "Unauthorized"}


def test_a_status_waits_for_its_ttft(sim):
    started = time.monotonic()
    sim.ask("[[sim status=503 ttft=150]]")
    assert time.monotonic() - started >= 0.145


@pytest.mark.parametrize("stream", [False, True])
def test_a_cookie_is_set_on_request(sim, stream):
    assert "set-cookie" in sim.ask(f"[[sim tokens=1 {QUICK} set_cookie]]", stream=stream).headers
    assert "set-cookie" not in sim.ask(f"[[sim tokens=1 {QUICK}]]", stream=stream).headers
