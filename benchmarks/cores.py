"""Who runs where: the gateway has one core for itself, everything else shares the others."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cores:
    """A division of the cores that this process may use; with only one core both parts are the same."""

    gateway: frozenset[int]
    others: frozenset[int]

    @property
    def count(self) -> int:
        """How many cores there are in all."""
        return len(self.gateway | self.others)

    def describe(self) -> str:
        """Say in a few words who runs where."""
        if self.count == 1:
            return "1 core for everything"
        return f"gateway on core {_named(self.gateway)}, the rest on {_named(self.others)}"


def divide() -> Cores:
    """Give the gateway the first core, and the rest to the stores, the engine and the load generator."""
    first, *rest = sorted(os.sched_getaffinity(0))
    return Cores(frozenset({first}), frozenset(rest or [first]))


@contextmanager
def on(cores: frozenset[int]) -> Iterator[None]:
    """Run this process here, and every process that is started meanwhile for as long as it lives."""
    usual = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, usual)


def _named(cores: frozenset[int]) -> str:
    return ", ".join(map(str, sorted(cores)))
