"""The measurement: every load, against the engine directly and through the gateway in turns, several times.

Machines are shared and their speed changes from one minute to the next; two rounds that follow each other see nearly
the same machine, so what counts is the ratio of the two, and the median over the rounds.
"""

from __future__ import annotations

import http.client
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Self

from benchmarks import cores, plain, resources, streams
from benchmarks.figures import Figures
from benchmarks.installation import Installation
from benchmarks.load import Target
from config.local import ports
from config.local.steps import say

_WARM_UP_SECONDS = 2
# What was cut off at the end of one round is settled before the next one begins.
_REST_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Load:
    """One kind of load: its name (`plain c32`), and how to put it on a target."""

    name: str
    put_on: Callable[[Target], Figures]


@dataclass(frozen=True, slots=True)
class Pair:
    """The same load on the engine itself and on the gateway before it."""

    direct: Figures
    gateway: Figures
    ratio: float
    """The median of the rounds' own ratios."""

    @classmethod
    def of(cls, rounds: Sequence[tuple[Figures, Figures]]) -> Self:
        """Return the medians of rounds of (direct, gateway)."""
        direct, gateway = zip(*rounds, strict=True)
        ratios = [through.rate / alone.rate if alone.rate else 0.0 for alone, through in rounds]
        return cls(Figures.of(direct), Figures.of(gateway), median(ratios))

    @property
    def errors(self) -> int:
        """How many answers were wrong, cut short or missing."""
        return self.direct.errors + self.gateway.errors


def loads(reader: streams.Command, *, seconds: int) -> list[Load]:
    """Return what is measured, each for so many seconds a round."""
    whole = [Load(f"plain c{many}", _plain(many, seconds)) for many in (1, 32, 128)]
    calm = Load("calm c128", _plain(128, seconds, wait_ms=plain.CALM_MS))
    floods = [Load(f"stream s{many}", _flood(reader, many, seconds)) for many in (1, 64, 256)]
    paced = [Load(f"paced s{many}", _paced(reader, many, seconds)) for many in (1, 64, 256)]
    return [*whole, calm, *floods, *paced]


def _plain(connections: int, seconds: int, wait_ms: int = 0) -> Callable[[Target], Figures]:
    return lambda target: plain.measure(target, connections=connections, seconds=seconds, wait_ms=wait_ms)


def _flood(reader: streams.Command, many: int, seconds: int) -> Callable[[Target], Figures]:
    return lambda target: streams.flood(reader, target, streams=many, seconds=seconds)


def _paced(reader: streams.Command, many: int, seconds: int) -> Callable[[Target], Figures]:
    return lambda target: streams.paced(reader, target, streams=many, seconds=seconds)


class Rounds:
    """Runs rounds on an installation and keeps what they found."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._found: defaultdict[str, list[tuple[Figures, Figures]]] = defaultdict(list)
        self.answered = 0
        """How many requests the gateway has answered in full, warming up included."""

    def warm_up(self) -> None:
        """Let connections open, caches fill and statements be prepared, on both sides."""
        load = Load("warm-up", _plain(32, _WARM_UP_SECONDS))
        for target in (self._installation.direct, self._installation.gateway):
            self._measure(load, target)

    def run(self, load: Load, *, label: str) -> None:
        """Put one load on both targets, one after the other."""
        direct = self._measure(load, self._installation.direct)
        gateway = self._measure(load, self._installation.gateway)
        self._found[load.name].append((direct, gateway))
        say(f"  {label}  {load.name:<12} direct {direct.rate:>9,.0f}/s   gateway {gateway.rate:>8,.0f}/s")

    def results(self) -> dict[str, Pair]:
        """Return the medians of all rounds so far, by the names of the loads."""
        return {name: Pair.of(rounds) for name, rounds in self._found.items()}

    def _measure(self, load: Load, target: Target) -> Figures:
        here = self._installation
        pids, core = here.pids("server"), here.cores.gateway
        let_in = here.admissions()
        before, began = resources.usage(pids, core), time.monotonic()
        with cores.on(here.cores.others):
            figures = load.put_on(target)
        used, passed = resources.usage(pids, core).since(before), time.monotonic() - began
        p99 = here.admissions().since(let_in).percentile_ms(0.99)
        self._rest()
        if target is here.direct:
            return figures
        self.answered += figures.answers
        cpu_us = used.processes / (figures.rate * passed) * 1e6 if figures.rate else 0.0
        strangers = used.strangers if here.cores.count > 1 else 0.0
        return replace(figures, cpu_us=cpu_us, admission_p99_ms=p99, strangers=strangers)

    def _rest(self) -> None:
        self._installation.interrupts.pause(_REST_SECONDS)
        # The simulator's book of a hundred thousand requests would slow it down in the next round.
        connection = http.client.HTTPConnection(ports.HOST, self._installation.direct.port, timeout=10)
        try:
            connection.request("DELETE", "/witness")
            connection.getresponse().read()
        finally:
            connection.close()
