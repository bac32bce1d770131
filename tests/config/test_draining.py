"""The drain, in real Granian workers that get real signals."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection, HTTPResponse

import httpx
import pytest

from config import draining
from tests.config import web_servers
from tests.config.web_servers import WebServer

SERVER = "tests.config.streaming_server"
TOKEN = {"authorization": "Bearer a-token-for-tests"}


with_both = pytest.mark.parametrize("server", [1, 2], indirect=True, ids=["one worker", "two workers"])


@pytest.fixture
def notice() -> str:
    """Return DRAIN_NOTICE_SECONDS."""
    return "0"


@pytest.fixture
def server(request, tmp_path, notice) -> Iterator[WebServer]:
    with web_servers.serving(
        SERVER,
        tmp_path,
        workers=getattr(request, "param", 1),
        DRAIN_SECONDS="3",
        DRAIN_NOTICE_SECONDS=notice,
        METRICS_TOKEN="a-token-for-tests",
    ) as running:
        yield running


@contextmanager
def streams(server: WebServer, count: int, *, lines: int) -> Iterator[list[HTTPResponse]]:
    """Keep a number of streams open, each on a connection of its own."""
    with ExitStack() as stack:
        answers = []
        for _ in range(count):
            connection = stack.enter_context(closing(HTTPConnection("127.0.0.1", server.port, timeout=20)))
            connection.request("GET", f"/v1/stream?lines={lines}")
            answers.append(stack.enter_context(closing(connection.getresponse())))
        assert [answer.readline() for answer in answers] == [b"0\n"] * count
        yield answers


def ending(answer: HTTPResponse) -> str:
    """Return a stream's last line; IncompleteRead if it was cut."""
    return answer.read().decode().splitlines()[-1]


@with_both
def test_fifty_streams_end_whole_and_settled_after_sigterm(server):
    with streams(server, 50, lines=40) as answers:
        server.terminate()
        assert [ending(answer) for answer in answers] == ["done"] * 50
    assert server.ended() == 0
    assert len(server.events("stream_settled")) == 50
    assert len(server.events("gateway_closed")) == len(server.workers())


@with_both
def test_a_stream_beyond_the_limit_is_ended_in_band(server):
    with streams(server, 2, lines=100_000) as answers:
        server.terminate()
        began = time.monotonic()
        assert [ending(answer) for answer in answers] == ["drained"] * 2
        assert 2.5 < time.monotonic() - began < 6
    assert server.ended() == 0


@with_both
def test_new_inference_is_refused_while_streams_run_on(server):
    # Many streams, so that each worker has some and goes on listening.
    with streams(server, 12, lines=40):
        server.terminate()
        web_servers.wait_until(lambda: len(server.events("drain_started")) == len(server.workers()), server)
        refused = httpx.get(f"{server.url}/v1/stream?lines=1")
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "draining")
        assert refused.headers["x-request-id"].startswith("req_")
        assert refused.headers["retry-after"] == "1"
        assert httpx.get(f"{server.url}/readyz").json() == {"status": "draining"}
        assert httpx.get(f"{server.url}/healthz").status_code == 200


def test_an_idle_server_ends_at_once(server):
    began = time.monotonic()
    server.terminate()
    assert server.ended() == 0
    assert time.monotonic() - began < 3


def test_a_connection_that_idles_holds_nothing_up(server):
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert b"alive" in connection.recv(1000)
        server.terminate()
        assert server.ended(5) == 0


@with_both
def test_the_announcement_reaches_every_worker_and_stops_none(server):
    with streams(server, 4, lines=30) as answers:
        announced = httpx.post(f"{server.url}/internal/prestop", headers=TOKEN)
        assert announced.json() == {"status": "draining"}
        # Each connection may be another worker's.
        assert {httpx.get(f"{server.url}/readyz").status_code for _ in range(20)} == {503}
        assert [ending(answer) for answer in answers] == ["done"] * 4
    assert server.process.poll() is None


@pytest.mark.parametrize("server", [2], indirect=True, ids=["two workers"])
@pytest.mark.parametrize("notice", ["60"])
def test_within_the_notice_new_work_is_taken_and_readiness_is_gone(server):
    httpx.post(f"{server.url}/internal/prestop", headers=TOKEN)
    assert {httpx.get(f"{server.url}/readyz").status_code for _ in range(20)} == {503}
    answer = httpx.get(f"{server.url}/v1/stream?lines=1")
    assert (answer.text, answer.headers["connection"]) == ("0\ndone\n", "close")


@pytest.mark.parametrize("notice", ["1"])
def test_after_the_notice_work_that_runs_is_finished_and_the_server_leaves(server):
    server.terminate()
    web_servers.wait_until(lambda: httpx.get(f"{server.url}/readyz").status_code == 503, server)
    with streams(server, 4, lines=40) as answers:
        assert [ending(answer) for answer in answers] == ["done"] * 4
    assert server.ended() == 0


def test_a_stranger_cannot_announce_the_end(server):
    assert httpx.post(f"{server.url}/internal/prestop").status_code == 404
    assert httpx.get(f"{server.url}/v1/stream?lines=1").text.endswith("done\n")


@with_both
def test_workers_drain_when_their_main_process_is_killed(server):
    with streams(server, 4, lines=60) as answers:
        os.kill(server.process.pid, signal.SIGKILL)
        assert [ending(answer) for answer in answers] == ["done"] * 4
    web_servers.wait_until(lambda: len(server.events("gateway_closed")) == len(server.workers()), server)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{server.url}/healthz")


def test_ctrl_c_lets_streams_end_too(server):
    with streams(server, 4, lines=20) as answers:
        # A terminal sends it to the whole group: the main process and its workers.
        os.killpg(server.process.pid, signal.SIGINT)
        assert [ending(answer) for answer in answers] == ["done"] * 4
    assert server.ended() == 0


async def test_a_gateway_that_never_finishes_is_left_behind(monkeypatch):
    monkeypatch.setattr(draining, "OVERRUN_SECONDS", 0.05)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, ended.set)

    async def wait_for_ever(_: float) -> None:
        await asyncio.Event().wait()

    drain = draining.Drain(wait_for_ever, seconds=0.05)
    drain.begin()
    drain.begin()
    await asyncio.wait_for(ended.wait(), 2)
    assert drain.refusing


async def test_a_gateway_that_fails_to_finish_does_not_keep_the_process():
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, ended.set)

    async def fail(_: float) -> None:
        raise ConnectionError

    draining.Drain(fail, seconds=1).begin()
    await asyncio.wait_for(ended.wait(), 2)
