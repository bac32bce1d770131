"""What holds at every endpoint of vLLM: faults, frames, and the books about them."""

from typing import Any

import pytest

from tests.inference.simulator.client import CHAT, COMPLETIONS


def _chat(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}]}


PLAIN = {
    CHAT: _chat,
    COMPLETIONS: lambda text: {"prompt": text},
    "/v1/messages": lambda text: _chat(text) | {"max_tokens": 99},
    "/v1/messages/count_tokens": _chat,
    "/v1/responses": lambda text: {"input": text},
    "/v1/embeddings": lambda text: {"input": text},
    "/v1/rerank": lambda text: {"query": text, "documents": ["a"]},
    "/v1/score": lambda text: {"text_1": text, "text_2": "a"},
    "/v1/moderations": lambda text: {"input": text},
    "/tokenize": lambda text: {"prompt": text},
    "/v1/audio/speech": lambda text: {"input": text, "stream": False},
    "/v1/images/generations": lambda text: {"prompt": text, "size": "8x8"},
}
STREAMED = (CHAT, COMPLETIONS, "/v1/messages", "/v1/responses")


def _ask(sim, path, directive, **members):
    request_id = f"{path} {directive} {bool(members)}"
    text = f"[[sim ttft=0 gap=0 {directive}]]"
    return sim.post(path, request_id=request_id, **PLAIN[path](text), **members), request_id


@pytest.mark.parametrize("path", PLAIN)
def test_a_whole_answer_is_on_record(sim, path):
    reply, request_id = _ask(sim, path, "set_cookie")
    record = sim.record(request_id)
    assert (reply.status, record["endpoint"], record["ended"]) == (200, path, "complete")
    assert record["prompt_tokens"] > 0
    assert "set-cookie" in reply.headers


@pytest.mark.parametrize("path", PLAIN)
def test_a_whole_answer_in_pieces_is_whole(sim, path):
    reply, _ = _ask(sim, path, "split=50")
    assert (reply.status, reply.whole) == (200, True)


@pytest.mark.parametrize("path", PLAIN)
@pytest.mark.parametrize(
    ("kind", "ended"), [("die_after=-1", "died"), ("rst_after=0", "reset"), ("err_event=0", "error")]
)
def test_a_whole_answer_can_fail(sim, path, kind, ended):
    reply, request_id = _ask(sim, path, kind)
    assert sim.record(request_id)["ended"] == ended
    assert reply.reset is (ended == "reset")
    assert (reply.status == 500) is (ended == "error")


@pytest.mark.parametrize("path", STREAMED)
def test_odd_frames_say_the_same(sim, path):
    usual, _ = _ask(sim, path, "tokens=4", stream=True)
    odd, _ = _ask(sim, path, "tokens=4 split=7 crlf comments", stream=True)
    assert len(odd.events) == len(usual.events)
    assert max(map(len, odd.chunks)) <= 7


@pytest.mark.parametrize("path", STREAMED)
@pytest.mark.parametrize(
    ("kind", "ended"), [("die_after=2", "died"), ("rst_after=2", "reset"), ("err_event=2", "error")]
)
def test_a_stream_can_fail_after_its_kth_token(sim, path, kind, ended):
    reply, request_id = _ask(sim, path, f"tokens=5 {kind}", stream=True)
    record = sim.record(request_id)
    assert (record["ended"], record["completion_tokens"]) == (ended, 2)
    assert reply.whole is (ended == "error")


@pytest.mark.parametrize("path", STREAMED)
def test_a_stream_echoes_the_headers(sim, path):
    reply, request_id = _ask(sim, path, "echo_headers", stream=True)
    assert request_id in reply.body.decode()
