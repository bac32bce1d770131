"""The whole server as it is deployed: `python -m config.server`, its real gateway, its real stores."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.config import web_servers
from tests.config.web_servers import ROOT, WebServer

TOKEN = "a-token-for-tests"


@pytest.fixture
def server(fresh_database, tmp_path) -> Iterator[WebServer]:
    with web_servers.serving(
        "config.server", tmp_path, workers=2, DATABASE_URL=fresh_database.url, METRICS_TOKEN=TOKEN
    ) as running:
        yield running


def workers(server: WebServer) -> set[int]:
    main = server.process.pid
    return set(map(int, Path(f"/proc/{main}/task/{main}/children").read_text().split()))


def test_every_door_is_open(server):
    assert httpx.get(f"{server.url}/readyz").json() == {"status": "ready", "postgres": True, "valkey": True}
    page = httpx.get(f"{server.url}/accounts/login/")
    assert (page.status_code, page.headers["x-request-id"][:4]) == (200, "req_")
    refused = httpx.post(f"{server.url}/v1/chat/completions", json={})
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "invalid_api_key")
    assert refused.headers["x-request-id"].startswith("req_")


def test_metrics_are_those_of_all_workers(server):
    for _ in range(20):
        httpx.post(f"{server.url}/v1/chat/completions", json={})
    answer = httpx.get(f"{server.url}/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    [line] = [line for line in answer.text.splitlines() if line.startswith("turnpike_requests_total{")]
    assert line.endswith(" 20.0")


def test_a_worker_that_crashed_is_replaced(server):
    before = workers(server)
    os.kill(min(before), signal.SIGKILL)
    web_servers.wait_until(lambda: len(workers(server) - before) == 1 and len(workers(server)) == 2, server)
    assert {httpx.get(f"{server.url}/healthz").status_code for _ in range(10)} == {200}


def test_a_request_head_that_never_ends_is_cut_off(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=15) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nhost: loc")
        began = time.monotonic()
        assert b"200 OK" not in connection.recv(1000)
        assert 8 < time.monotonic() - began < 13


def test_a_request_head_that_is_too_large_is_refused(server):
    answer = httpx.get(f"{server.url}/healthz", headers={"x-padding": "x" * 200_000})
    assert answer.status_code == 431


def test_an_order_to_stop_during_the_start_is_heard(tmp_path):
    """A worker that is still importing has handlers of its main process, which would swallow the signal."""
    command = [sys.executable, "-m", "config.server"]
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    for delay in (0.3, 0.6, 0.9, 1.2, 1.5):
        with subprocess.Popen(
            command, cwd=ROOT, env=os.environ | {"PORT": port}, stdout=subprocess.DEVNULL, start_new_session=True
        ) as process:
            time.sleep(delay)
            process.send_signal(signal.SIGTERM)
            try:
                assert process.wait(10) is not None
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)


def test_a_misconfigured_server_ends_and_says_why(tmp_path):
    env = os.environ | {"ENVIRONMENT": "production", "ALLOWED_HOSTS": "*", "PORT": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "config.server"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode
    assert "turnpike.E004" in done.stdout + done.stderr
