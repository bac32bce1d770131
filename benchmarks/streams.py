"""Streamed answers: events per second when an engine is as fast as it can, times to the first token when it is not.

The reader is a small C program, for it shares its core with the engine and the database; where there is no compiler,
one in Python takes its place and needs a good deal more of that core.
"""

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.children import output_of
from benchmarks.figures import Figures, percentile
from benchmarks.load import Answer, Target, whole

# A token at a time, each its own write, and more of them than a gateway can forward: what is measured is the gateway.
# Without any gap the simulator would put dozens of events into one write, as no engine does.
FLOOD = Answer(tokens=200, gap_ms=0.2, stream=True)
# Streams of two seconds that begin evenly spread: a load that leaves room, so that waiting does not hide the delay.
PACED = Answer(tokens=50, gap_ms=40, stream=True)
# One stream alone has to be short, or there would be few first tokens to speak of.
PACED_ALONE = Answer(tokens=5, gap_ms=40, stream=True)

_WARM_SECONDS = 0.7
_SOURCE = Path(__file__).with_name("streams.c")
type Command = Sequence[str]
_IN_PYTHON = (sys.executable, "-m", "benchmarks.stream_reader")


def reader(folder: Path) -> Command:
    """Return the command of the reader, compiled into `folder` where there is a compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        return _IN_PYTHON
    program = folder / "streams"
    output_of([compiler, "-O2", "-D_GNU_SOURCE", "-o", str(program), str(_SOURCE)], seconds=60)
    return (str(program),)


def is_compiled(command: Command) -> bool:
    """Tell whether the reader is the one in C."""
    return command != _IN_PYTHON


def flood(command: Command, target: Target, *, streams: int, seconds: float) -> Figures:
    """Ask for more than can be forwarded, and count what comes."""
    return _read(command, target, FLOOD, streams, seconds=seconds + _WARM_SECONDS, warm=_WARM_SECONDS, spread=0)


def paced(command: Command, target: Target, *, streams: int, seconds: float) -> Figures:
    """Ask for less than can be forwarded, and see how long the first tokens take."""
    answer = PACED_ALONE if streams == 1 else PACED
    takes = answer.tokens * answer.gap_ms / 1000
    return _read(command, target, answer, streams, seconds=seconds + takes, warm=0, spread=takes)


def _read(
    command: Command, target: Target, answer: Answer, streams: int, *, seconds: float, warm: float, spread: float
) -> Figures:
    numbers = [str(number) for number in (target.port, streams, seconds, warm, spread)]
    found = json.loads(output_of([*command, *numbers], seconds=seconds + 30, given=whole(target, answer)))
    waited = [us / 1000 for us in found["ttft_us"]]
    return Figures(
        rate=found["chunks"] / found["seconds"],
        p50_ms=percentile(waited, 0.50),
        p99_ms=percentile(waited, 0.99),
        answers=found["streams"],
        errors=found["errors"],
    )
