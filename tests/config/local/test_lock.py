"""One launcher for one data folder."""

import os
import subprocess
import sys
import time

import pytest

from config.local.lock import AlreadyRunning, Lock

HOLD = """
import sys, time, pathlib
from config.local import places
from config.local.lock import Lock
lock = Lock(places.at(pathlib.Path(sys.argv[1])))
lock.take(time.sleep)
lock.note(sys.argv[2], "http://127.0.0.1:8000")
print("held", flush=True)
sys.stdin.read(1)
"""


@pytest.fixture
def holder(here):
    """Another process that has the folder, in a state that the test names; it lets go at the end of its input."""
    started = []

    def hold(state):
        command = [sys.executable, "-c", HOLD, str(here.data), state]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        started.append(process)
        assert process.stdout
        assert process.stdout.readline() == b"held\n"
        return process

    yield hold
    for process in started:
        process.kill()
        process.communicate()


def take(here, pause=time.sleep):
    lock = Lock(here)
    try:
        lock.take(pause)
    finally:
        os.close(lock._descriptor)


def test_the_second_is_told_about_the_first(here, holder):
    first = holder("running")
    with pytest.raises(AlreadyRunning, match=rf"already running .* at http://127.0.0.1:8000 \(process {first.pid}\)"):
        take(here)


def test_the_second_waits_for_one_that_is_stopping(here, holder):
    first = holder("stopping")
    waited = []

    def pause(_):
        waited.append(first.communicate(b"x"))

    take(here, pause)
    assert len(waited) == 1


def test_a_crash_frees_the_folder(here, holder):
    first = holder("running")
    first.kill()
    first.wait()
    take(here)
