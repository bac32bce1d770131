"""`make up` itself: started, crashed, started again, stopped. Nothing is lost, and nothing is left running."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from config.local import environment, leftovers, places, ports

UP = [sys.executable, "-m", "config.local", "up", "--engine", "none"]


class Launched:
    """A launcher on a folder and a port."""

    def __init__(self, data: Path, port: int) -> None:
        self.data, self.port = data, port
        env = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
        command = [*UP, "--data", str(data), "--port", str(port)]
        self.process = subprocess.Popen(
            command, env=env | {"ENVIRONMENT": ""}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.said = ""

    def until(self, words: str) -> "Launched":
        """Read what it says until it says that."""
        assert self.process.stdout
        while words not in self.said:
            line = self.process.stdout.readline()
            assert line, self.said
            self.said += line
        return self

    def end(self) -> tuple[int, str]:
        """Return its exit status and all that it said."""
        self.said += self.process.communicate(timeout=60)[0]
        return self.process.returncode, self.said

    def pids(self) -> dict[str, int]:
        """What it runs, by name."""
        notes = places.at(self.data).run.glob("*.pid")
        return {note.stem: pid for note in notes if (pid := leftovers.alive(note))}


@pytest.fixture
def launch(tmp_path):
    started = []

    def begin(data=tmp_path / "data", port=None):
        launched = Launched(data, port or ports.free())
        started.append(launched)
        return launched

    yield begin
    for launched in started:
        launched.process.terminate()
        launched.process.communicate()


def test_the_whole_life_of_an_installation(launch):
    first = launch().until("Ctrl-C stops everything")
    port, data = first.port, first.data
    assert httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
    assert first.pids().keys() == {"postgres", "valkey", "worker", "beat", "server"}
    demo = environment.read(data / "demo.env")

    told = launch(port=port)
    assert told.end() == (0, told.said)
    assert f"already running from {data} at http://127.0.0.1:{port}" in told.said

    os.kill(first.pids()["beat"], signal.SIGKILL)
    first.until("Starting the beat again.")

    ran = first.pids()
    first.process.kill()
    first.process.wait()
    second = launch(port=port).until("Ctrl-C stops everything")
    assert not any(leftovers.started_at(pid) for pid in ran.values())
    assert environment.read(data / "demo.env") == demo

    ran = second.pids()
    second.process.send_signal(signal.SIGINT)
    status, said = second.end()
    assert status == 0
    assert said.endswith("Stopped.\n")
    assert not any(leftovers.started_at(pid) for pid in ran.values())


def test_a_store_that_dies_says_why_and_comes_back(launch):
    launched = launch().until("Ctrl-C stops everything")
    for store in ("valkey", "postgres"):
        os.kill(launched.pids()[store], signal.SIGKILL)
        launched.until(f"{store} died (signal SIGKILL); see ").until(f"Starting the {store} again.")
    launched.process.send_signal(signal.SIGINT)
    assert launched.end()[0] == 0


def test_a_taken_port_is_one_line(launch):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        status, said = launch(port=port).end()
    assert status == 1
    assert said.strip().endswith(f"Port {port} is taken: choose another one with PORT=<number>.")


def test_a_start_that_is_interrupted_leaves_nothing(launch):
    launched = launch().until("PostgreSQL")
    launched.process.send_signal(signal.SIGTERM)
    status, said = launched.end()
    assert status == 0
    assert "Traceback" not in said
    time.sleep(0.1)
    assert not launched.pids()
