"""Programs: started, stopped for certain, and their death explained."""

import os
import signal
import subprocess
import sys
import time

import pytest

from config.local import leftovers
from config.local.errors import CannotStart
from config.local.processes import Program, last_line, start, stop_all, wait_until_ready, why_it_died

SLEEP = "import time; print('up', flush=True); time.sleep(60)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}"
PARENT = """
import os, sys, pathlib
from config.local.processes import Program, start
here = pathlib.Path(sys.argv[1])
child = start(Program(name="child", command=["sleep", "60"], env=os.environ), logs=here, run=here)
print(child.pid, flush=True)
os.kill(os.getpid(), 9)
"""


@pytest.fixture
def launch(tmp_path):
    started = []

    def begin(code, **options):
        program = Program(name="program", command=[sys.executable, "-c", code], env=os.environ, **options)
        child = start(program, logs=tmp_path, run=tmp_path)
        started.append(child)
        return child

    yield begin
    for child in started:
        child.kill()


def until(condition):
    deadline = time.monotonic() + 5
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert condition()


def test_a_program_is_asked_first(launch):
    child = launch(SLEEP)
    child.stop()
    assert child.process.returncode == -signal.SIGTERM
    assert not child.pid_file.exists()


def test_a_program_that_does_not_listen_is_killed_after_its_grace(launch):
    child = launch(STUBBORN, grace=0.2)
    until(lambda: child.last_line() == "up")
    child.stop()
    assert child.process.returncode == -signal.SIGKILL


def test_a_hurry_cuts_the_grace_short(launch):
    child = launch(STUBBORN, grace=60)
    until(lambda: child.last_line() == "up")
    stop_all([child], hurry=lambda: True)
    assert child.process.returncode == -signal.SIGKILL


def test_what_a_program_started_ends_with_it(launch):
    child = launch("import subprocess; print(subprocess.Popen(['sleep', '60']).pid, flush=True)")
    child.process.wait()
    grandchild = int(child.last_line())
    child.stop()
    until(lambda: not leftovers.started_at(grandchild))


def test_a_program_ends_when_its_launcher_is_killed(tmp_path):
    printed = subprocess.run(
        [sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, text=True, check=False
    ).stdout
    until(lambda: not leftovers.started_at(int(printed)))


def test_a_death_is_told_with_the_last_thing_said(launch):
    child = launch("raise ValueError('no such luck')")
    with pytest.raises(CannotStart, match=r"^program died \(exit status 1\); see .*: ValueError: no such luck$"):
        wait_until_ready(child, lambda: False, seconds=10, pause=time.sleep)


def test_a_program_that_never_gets_ready_is_told(launch):
    child = launch(SLEEP)
    with pytest.raises(CannotStart, match="not ready after 0 s"):
        wait_until_ready(child, lambda: False, seconds=0, pause=time.sleep)


@pytest.mark.parametrize("words", ["write: No space left on device", 'could not extend file "base/1/2": wrote only 1'])
def test_a_full_disk_is_called_that(launch, words: str):
    child = launch(f"raise SystemExit({words!r})")
    child.process.wait()
    assert "is full" in why_it_died(child)


def test_what_is_fatal_is_told_rather_than_what_came_last(tmp_path):
    (tmp_path / "log").write_text("LOG: one\nFATAL: lock file is there\nHINT: remove it\n\n")
    assert last_line(tmp_path / "log") == "FATAL: lock file is there"
    assert last_line(tmp_path / "none") == ""
