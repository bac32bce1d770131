"""Clients that leave in the middle: the engine stops at once, and what was made by then is paid for."""

import socket

import pytest

from tests.faults import witnesses
from tests.faults.books import Books
from tests.faults.crowd import wait_for_output
from tests.inference.simulator.client import CHAT, question

ENDLESS = "hi [[sim ttft=1 gap=20 tokens=2000]]"
# Of the simulator, in nano-dollars a token.
INPUT, CACHED, OUTPUT = 500, 250, 1500


@pytest.mark.parametrize("reset", [False, True], ids=["closes", "resets"])
def test_a_client_that_leaves_stops_the_engine_and_pays_for_what_was_made(installation, crowd, reset):
    acme = installation.organization()
    calls = [crowd.call(installation.server.port, acme.api_key, ENDLESS, stream=True) for _ in range(5)]
    wait_for_output(calls, pieces=3)
    left_at = [crowd.leave(call, reset=reset) for call in calls]
    seen = witnesses.of(installation, {call.request_id for call in calls})
    records = Books(installation, acme).closed()
    for call, left in zip(calls, left_at, strict=True):
        engine, record = seen[call.request_id], records[call.request_id]
        assert (engine["ended"], record["outcome"]) == ("client_gone", "client_left")
        assert engine["ended_at"] - left < 1
        assert call.outputs <= record["completion_tokens"] <= engine["completion_tokens"]
        fresh = record["prompt_tokens"] - record["cached_tokens"]
        price = fresh * INPUT + record["cached_tokens"] * CACHED + record["completion_tokens"] * OUTPUT
        assert record["cost_nusd"] == price


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "plain"])
def test_a_client_that_leaves_before_any_output_pays_nothing(installation, crowd, stream):
    acme = installation.organization()
    ask_and_leave(installation, crowd, acme, stream=stream)
    (record,) = Books(installation, acme).closed().values()
    assert (record["outcome"], record["cost_nusd"], record["status"]) == ("no_output", 0, 499)


def test_a_client_that_closes_only_its_sending_side_counts_as_gone(installation):
    acme, body = installation.organization(), question("hi [[sim ttft=200 gap=0 tokens=5]]", stream=True)
    head = f"POST {CHAT} HTTP/1.1\r\nhost: t\r\nauthorization: Bearer {acme.api_key}\r\n"
    kind = f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    installation.clear_witness()
    with socket.create_connection(("127.0.0.1", installation.server.port), timeout=10) as client:
        client.sendall((head + kind).encode() + body)
        witnesses.arrived(installation, 1)
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""
    (record,) = Books(installation, acme).closed().values()
    assert (record["outcome"], record["cost_nusd"], record["status"]) == ("no_output", 0, 499)


def test_who_leaves_before_any_output_has_used_the_input_of_the_tokens_per_minute(installation, crowd):
    acme = installation.organization(tpm=1000)
    ask_and_leave(installation, crowd, acme, stream=True)
    Books(installation, acme).closed()
    later = crowd.call(installation.server.port, acme.api_key, "hi [[sim ttft=1 gap=0 tokens=1]]", max_tokens=1)
    crowd.wait([later])
    own = len(later.request.partition(b"\r\n\r\n")[2]) // 4 + 2
    assert 1000 - int(later.headers["x-ratelimit-remaining-tokens"]) > own


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "plain"])
def test_a_client_that_leaves_before_any_output_stops_the_engine(installation, crowd, stream):
    request_id, left_at = ask_and_leave(installation, crowd, installation.organization(), stream=stream)
    seen = witnesses.of(installation, {request_id})[request_id]
    assert (seen["ended"], seen["ended_at"] - left_at < 1) == ("client_gone", True)


def ask_and_leave(installation, crowd, tenant, *, stream: bool) -> tuple[str, float]:
    """Leave as soon as the engine has the request; return its id and when that was."""
    installation.clear_witness()
    text = "hi [[sim ttft=2000 gap=0 tokens=5]]"
    call = crowd.call(installation.server.port, tenant.api_key, text, stream=stream)
    (request_id,) = witnesses.arrived(installation, 1)
    return request_id, crowd.leave(call)
