import time

import pytest

from tests.inference.simulator.client import CHAT, eventually, question

QUICK = "[[sim tokens=2 ttft=0 gap=1]]"


def test_a_connection_serves_one_request_after_another(sim):
    with sim.wire() as wire:
        for stream in (False, True, False, True):
            wire.send("POST", CHAT, question(QUICK, stream=stream))
            reply = wire.reply()
            assert (reply.status, reply.whole) == (200, True)


def test_pipelined_requests_are_answered_in_order(sim):
    with sim.wire() as wire:
        for number in range(20):
            body = question(f"[[sim tokens=1 ttft={20 - number} gap=0]]")
            wire.send("POST", CHAT, body, {"x-request-id": f"pipe-{number}"})
        ids = [wire.reply().json["id"] for _ in range(20)]
    assert ids == [f"chatcmpl-pipe-{number}" for number in range(20)]


def test_a_client_that_asks_to_close_is_obeyed(sim):
    with sim.wire() as wire:
        wire.send("POST", CHAT, question(QUICK), {"connection": "close"})
        assert wire.reply().whole
        assert not wire.read()


def test_a_chunked_request_is_understood(sim):
    body = question(QUICK)
    with sim.wire() as wire:
        head = f"POST {CHAT} HTTP/1.1\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
        wire.socket.sendall(head.encode() + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
        assert wire.reply().status == 200


def test_a_client_that_waits_for_100_continue_gets_it(sim):
    body = question(QUICK)
    with sim.wire() as wire:
        head = f"POST {CHAT} HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
        wire.socket.sendall(head.encode() + b"expect: 100-continue\r\n\r\n")
        wire.read_until(b"HTTP/1.1 100 Continue\r\n\r\n")
        wire.received = b""
        wire.socket.sendall(body)
        assert wire.reply().status == 200


def test_bytes_that_are_no_request_are_refused_and_the_connection_closed(sim):
    with sim.wire() as wire:
        wire.socket.sendall(b"nonsense\r\n\r\n")
        assert wire.reply().status == 400
        assert not wire.read()


@pytest.mark.parametrize(
    ("name", "directive", "stream"),
    [
        ("in-prefill", "ttft=60000", True),
        ("in-plain-prefill", "ttft=60000", False),
        ("between-tokens", "tokens=50 ttft=0 gap=60000", True),
        ("in-plain", "tokens=50 ttft=0 gap=60000", False),
        ("before-a-status", "status=503 ttft=60000", False),
    ],
)
def test_a_client_that_leaves_ends_the_generation_at_once(sim, name, directive, stream):
    with sim.asking(f"[[sim {directive}]]", name, stream=stream):
        sim.record(name, ended=False)
        time.sleep(0.05)
        left = time.time()
    record = sim.record(name)
    assert record["ended"] == "client_gone"
    assert record["ended_at"] - left < 1
    assert record["completion_tokens"] == (1 if name == "between-tokens" else 0)


def test_a_client_that_leaves_a_fast_stream_is_noticed(sim):
    with sim.asking("[[sim tokens=30000 ttft=0 gap=0]]", "fast", stream=True) as wire:
        wire.read_until(b"data: ")
    record = sim.record("fast")
    assert record["ended"] == "client_gone"
    assert record["completion_tokens"] < 30000


def test_an_aborted_generation_gives_its_place_back(sim):
    with sim.asking("[[sim ttft=60000]]", "place", stream=True):
        before = eventually(lambda: sim.witness()["running"])
    eventually(lambda: sim.witness()["running"] < before)
