"""Start a real web server for a test, and read what it logged."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[2]


class WebServer:
    """A running server: its address, its main process, its log."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.process, self.port, self.log = process, port, log
        self.url = f"http://127.0.0.1:{port}"

    def events(self, name: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == name]

    def workers(self) -> list[int]:
        return [event["pid"] for event in self.events("gateway_opened")]

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def ended(self, seconds: float = 20) -> int:
        return self.process.wait(seconds)


@contextmanager
def serving(module: str, folder: Path, *, workers: int = 1, **env: str) -> Iterator[WebServer]:
    """Serve `python -m <module>` on a free port until the block ends; the log is in `folder`."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    log = folder / "server.log"
    told = os.environ | {"PORT": str(port), "WEB_CONCURRENCY": str(workers)} | env
    with log.open("wb") as output:
        command = [sys.executable, "-m", module]
        process = subprocess.Popen(
            command, cwd=ROOT, env=told, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    server = WebServer(process, port, log)
    try:
        wait_until(lambda: _answers(server) and _started(server) >= workers, server)
        yield server
    finally:
        _kill(process)


def wait_until(condition: Any, server: WebServer, seconds: float = 30) -> None:
    """Wait for something to come true; fail with the server's log if it does not."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, server.log.read_text()
        time.sleep(0.05)


def _started(server: WebServer) -> int:
    return server.log.read_text().count("Started worker-")


def _answers(server: WebServer) -> bool:
    assert server.process.poll() is None, server.log.read_text()
    try:
        return httpx.get(f"{server.url}/healthz").is_success
    except httpx.TransportError:
        return False


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
