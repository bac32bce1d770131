"""What an earlier launcher left running."""

import subprocess
import sys
import time

import pytest

from config.local import leftovers


@pytest.fixture
def start(tmp_path):
    """Start a session of processes as a launcher would, and note it in a pid file."""
    started = []

    def begin(code, name="program"):
        command = [sys.executable, "-c", code]
        process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.PIPE, text=True)
        started.append(process)
        leftovers.remember(tmp_path / f"{name}.pid", process.pid)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


SLEEP = "import time; print('up', flush=True); time.sleep(60)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}"
WITH_CHILD = "import subprocess, sys, time; print(subprocess.Popen(['sleep', '60']).pid, flush=True); time.sleep(60)"


def alive(pid):
    return bool(leftovers.started_at(pid))


def test_what_still_runs_is_asked_to_stop(tmp_path, start):
    process = start(SLEEP)
    assert leftovers.sweep(tmp_path) == ["program"]
    assert process.wait(5) == -15
    assert not list(tmp_path.iterdir())


def test_what_does_not_listen_is_killed(tmp_path, start, monkeypatch):
    monkeypatch.setattr(leftovers, "_PATIENCE_SECONDS", 0.2)
    process = start(STUBBORN)
    process.stdout.readline()
    leftovers.sweep(tmp_path)
    assert process.wait(5) == -9


def test_children_of_a_process_that_is_gone_are_found(tmp_path, start):
    process = start(WITH_CHILD)
    child = int(process.stdout.readline())
    process.kill()
    process.wait()
    assert alive(child)
    assert leftovers.sweep(tmp_path) == ["program"]
    deadline = time.monotonic() + 5
    while alive(child) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not alive(child)


def test_a_stranger_with_the_same_number_is_left_alone(tmp_path, start):
    process = start(SLEEP)
    note = tmp_path / "program.pid"
    pid, moment = note.read_text().split()
    note.write_text(f"{pid} {moment}0\n")
    assert leftovers.sweep(tmp_path) == []
    assert process.poll() is None


@pytest.mark.parametrize("text", ["", "12", "no number", "4194304 boot:1"])
def test_a_note_that_says_nothing_harms_nobody(tmp_path, text: str):
    (tmp_path / "program.pid").write_text(text)
    assert leftovers.sweep(tmp_path) == []
