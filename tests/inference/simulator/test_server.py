import os
import signal
import subprocess
import sys
import time

import pytest

from tests.inference.simulator.client import ROOT, simulator


def _run(*flags: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "inference.simulator", *flags]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_at_once_also_with_open_streams(number):
    with simulator() as sim, sim.asking("[[sim tokens=9 ttft=0 gap=60000]]", stream=True) as wire:
        wire.read_until(b"assistant")
        told = time.monotonic()
        os.kill(sim.process.pid, number)
        assert sim.process.wait(timeout=5) == 0
        assert time.monotonic() - told < 2
        assert not wire.reply().whole


def test_it_says_first_where_it_listens():
    with simulator("--port", "0") as sim:
        assert sim.port > 1024
        assert sim.call("GET", "/health").status == 200


def test_it_listens_on_loopback_addresses_only():
    refused = _run("--host", "0.0.0.0")
    assert refused.returncode == 1
    assert "not a loopback address" in refused.stderr


def test_a_taken_port_is_one_clear_line():
    with simulator() as sim:
        refused = _run("--port", str(sim.port))
    assert refused.returncode == 1
    assert refused.stderr.startswith("simulator: ")
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("flags", [("--max-num-seqs", "0"), ("--speed", "0"), ("--speed", "nan")])
def test_nonsense_is_refused(flags):
    assert _run(*flags).returncode == 2


def test_it_needs_no_django():
    script = "import sys, inference.simulator.command; print('django' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout == "False\n"


def test_it_runs_without_uvloop():
    script = (
        "import importlib.util as u; find = u.find_spec\n"
        "u.find_spec = lambda name, *more: None if name == 'uvloop' else find(name, *more)\n"
        "from inference.simulator.command import main; main()"
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("listening http://127.0.0.1:")
        process.terminate()
        assert process.wait(timeout=5) == 0


def test_manage_py_runs_it_too():
    command = [sys.executable, "manage.py", "simulator", "--model", "managed"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("listening http://127.0.0.1:")
        process.terminate()
        assert process.wait(timeout=5) == 0
