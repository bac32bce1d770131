"""Whole answers, one after the other on each connection, by wrk."""

import json
import os
import shutil
from pathlib import Path

from benchmarks.children import output_of
from benchmarks.figures import Figures
from benchmarks.load import Answer, Target
from config.local.errors import CannotStart

ANSWER = Answer(tokens=16, gap_ms=0, stream=False)
# So long a connection of the calm load waits before each request, on average.
CALM_MS = 128
_SCRIPT = Path(__file__).with_name("plain.lua")
_MARK = "figures "


def require_wrk() -> None:
    """Raise CannotStart where the load generator is missing."""
    if shutil.which("wrk") is None:
        raise CannotStart("The load generator is missing: apt-get install wrk (make bench does so where it may).")


def measure(target: Target, *, connections: int, seconds: float, wait_ms: int = 0) -> Figures:
    """Load a target for so long on so many connections. wrk corrects its percentiles for coordinated omission.

    Each connection waits for a random time before each request, on average `wait_ms`.
    """
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:.0f}s", "--timeout=10s", f"-s{_SCRIPT}", target.url]
    env = os.environ | {
        "BENCH_BODY": ANSWER.body(),
        "BENCH_AUTHORIZATION": target.authorization,
        "BENCH_WAIT_MS": str(wait_ms),
    }
    found = _figures(output_of(command, seconds=seconds + 30, env=env))
    return Figures(
        rate=found["requests"] / found["us"] * 1e6,
        p50_ms=found["p50_us"] / 1000,
        p99_ms=found["p99_us"] / 1000,
        answers=int(found["requests"]),
        errors=int(found["errors"]),
    )


def _figures(printed: str) -> dict[str, float]:
    for line in printed.splitlines():
        if line.startswith(_MARK):
            found: dict[str, float] = json.loads(line.removeprefix(_MARK))
            return found
    raise CannotStart("wrk has printed no figures.")
