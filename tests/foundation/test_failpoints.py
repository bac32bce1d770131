"""Failpoints: deadly where they are armed, nothing elsewhere."""

import subprocess
import sys

import pytest

from foundation import failpoints

SCRIPT = "from foundation.failpoints import reach\nfor n in range(3):\n    reach('held'); reach('settled'); print(n)"


def run(**environment: str) -> tuple[int, str]:
    path = ":".join(sys.path)
    done = subprocess.run(
        [sys.executable, "-u", "-c", SCRIPT],
        env={"PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.replace("\n", "")


def test_nothing_happens_where_nothing_is_armed():
    assert run() == (0, "012")


def test_the_process_dies_when_it_gets_there_so_often():
    assert run(FAILPOINT="settled") == (-9, "")
    assert run(FAILPOINT="settled:3") == (-9, "01")


def test_production_cannot_be_armed():
    assert run(FAILPOINT="settled", ENVIRONMENT="production") == (0, "012")


def test_an_unknown_point_is_an_error():
    with pytest.raises(ValueError, match="none of"):
        failpoints.arm("nowhere", "test")
