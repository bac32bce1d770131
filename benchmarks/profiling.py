"""Where the gateway's time goes: the load of 128 connections on a server that samples itself (`sampler.py`)."""

import json
import os
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from benchmarks import cores, plain, resources, streams
from benchmarks.figures import Figures
from benchmarks.installation import Installation, running
from benchmarks.interrupts import Interrupts
from benchmarks.load import Target
from config.local.errors import CannotStart
from config.local.processes import Running
from config.local.steps import say

_SERVER = ("benchmarks.sampled_server",)
_SAMPLES = "samples.json"
_STREAMS = 64
_TOP = 25
_PATIENCE_SECONDS = 5

type Sample = tuple[str, str, str, float]
"""Task, our innermost function, innermost function, seconds."""
type Samples = list[Sample]


def profile(data: Path, interrupts: Interrupts, *, seconds: int, connections: int) -> int:
    """Profile whole answers, then streams; print both."""
    samples = data.absolute() / "bench" / _SAMPLES
    os.environ["BENCH_SAMPLES"] = str(samples)
    with running(data, interrupts, server=_SERVER) as installation:
        reader = streams.reader(installation.places.data)
        plain.measure(installation.gateway, connections=32, seconds=2)
        for title, load in _loads(reader, seconds, connections):
            say(f"\n{title}")
            for line in _profile(installation, samples, load):
                say(line)
    return 0


def _loads(
    reader: streams.Command, seconds: int, connections: int
) -> Iterator[tuple[str, Callable[[Target], Figures]]]:
    yield (
        f"Whole answers on {connections} connections",
        lambda target: plain.measure(target, connections=connections, seconds=seconds),
    )
    yield (
        f"{_STREAMS} streams",
        lambda target: streams.flood(reader, target, streams=_STREAMS, seconds=seconds),
    )


@dataclass(frozen=True, slots=True)
class _Spent:
    """Seconds of CPU so far, by thread of the gateway's worker and by program."""

    threads: Mapping[str, float]
    programs: Mapping[str, float]

    @classmethod
    def so_far(cls, installation: Installation, worker: int) -> Self:
        programs = {name: resources.cpu_seconds(installation.pids(name)) for name in installation.running}
        return cls(resources.threads(worker), programs)

    def since(self, earlier: Self) -> Self:
        return type(self)(_grown(self.threads, earlier.threads), _grown(self.programs, earlier.programs))


def _grown(now: Mapping[str, float], before: Mapping[str, float]) -> dict[str, float]:
    return {name: seconds - before.get(name, 0.0) for name, seconds in now.items()}


def _profile(installation: Installation, file: Path, load: Callable[[Target], Figures]) -> Iterator[str]:
    file.unlink(missing_ok=True)
    worker = max(resources.children(installation.server.pid), key=resources.resident_mb)
    before, began = _Spent.so_far(installation, worker), time.monotonic()
    os.kill(worker, signal.SIGUSR1)
    with cores.on(installation.cores.others):
        figures = load(installation.gateway)
    os.kill(worker, signal.SIGUSR2)
    spent, units = _Spent.so_far(installation, worker).since(before), figures.rate * (time.monotonic() - began)
    samples = _read(file, installation.server, installation.interrupts)
    yield f"  {figures.rate:,.0f} a second; CPU for each, by program:"
    yield from _table(spent.programs, units)
    yield "  The gateway's worker by thread:"
    yield from _table(spent.threads, units)
    for title, key in _VIEWS.items():
        yield f"  Its Python thread by {title}:"
        yield from _table(_by(samples, key), units)


def _read(file: Path, server: Running, interrupts: Interrupts) -> Samples:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not file.exists():
        if time.monotonic() > deadline or not server.alive:
            raise CannotStart(f"The server has written no samples; see {server.log}.")
        interrupts.pause(0.05)
    found: Samples = json.loads(file.read_text())
    return found


def _by(samples: Samples, key: Callable[[Sample], str]) -> dict[str, float]:
    seconds: defaultdict[str, float] = defaultdict(float)
    for sample in samples:
        seconds[key(sample)] += sample[-1]
    return seconds


def _library(function: str) -> str:
    parts = function.split(".")
    return ".".join(parts[:2]) if function.startswith("python:") else parts[0]


def _module(function: str) -> str:
    """Leave out the function, and its class: names of modules are in lower case."""
    parts = function.split(".")
    return ".".join(part for part in parts[:-1] if part.islower() and "<" not in part)


_VIEWS: dict[str, Callable[[Sample], str]] = {
    "task": lambda sample: sample[0],
    "library (innermost function)": lambda sample: _library(sample[2]),
    "module of ours (innermost, with the libraries that it calls)": lambda sample: _module(sample[1]) or sample[1],
    "function of ours (innermost, with the libraries that it calls)": lambda sample: sample[1],
}


def _table(seconds: Mapping[str, float], units: float) -> Iterator[str]:
    whole = sum(seconds.values()) or 1.0
    for name, spent in sorted(seconds.items(), key=lambda pair: -pair[1])[:_TOP]:
        yield f"    {spent / whole:>6.1%}{spent / units * 1e6:>9.2f} µs  {name}"
