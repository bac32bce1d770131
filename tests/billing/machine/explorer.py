"""Explores every state of the protocol, breadth first. Says what is wrong with the first bad one, and how it came."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass

from tests.billing.machine import protocol
from tests.billing.machine.state import CREDIT, WORST, Record, State, canonical

# What happens even if every worker is dead, or does nothing.
BY_ITSELF = frozenset({"the process stops using it", "a lease runs out", "the reaper looks", "the reaper reaps"})


@dataclass(frozen=True)
class Found:
    """What the exploration came to: nothing wrong, or what, and the shortest way there."""

    states: int
    wrong: str = ""
    way: tuple[str, ...] = ()


@dataclass(frozen=True)
class Protocol[S: Hashable]:
    """What is explored: where it starts, what can happen, what must not be, and where nothing is held."""

    start: S
    steps: Callable[[S], Iterable[tuple[str, S]]]
    canonical: Callable[[S], S]
    what_is_wrong: Callable[[S], str]
    is_at_rest: Callable[[S], bool]


def explore(rules: protocol.Rules, credit: int = CREDIT) -> Found:
    """Explore the protocol of holds."""
    start = State(credit=credit, posted=credit)
    holds = Protocol(
        start, lambda state: protocol.steps(state, rules), canonical, what_is_wrong, lambda state: not state.held
    )
    return Explorer(holds).run()


class Explorer[S: Hashable]:
    """One exploration; states are known by their number, in the order in which they were found."""

    def __init__(self, explored: Protocol[S]) -> None:
        self.explored = explored
        self.start = explored.start
        self.numbers: dict[S, int] = {}
        self.came: list[tuple[int, str]] = []
        self.before: list[list[int]] = []

    def run(self) -> Found:
        queue = deque([self.start])
        self._number(self.start, -1, "")
        while queue:
            state = queue.popleft()
            if wrong := self.explored.what_is_wrong(state):
                return self._found(self.numbers[state], wrong)
            queue.extend(self._expand(state))
        stuck = self._stuck()
        return self._found(stuck, "a hold never ends") if stuck is not None else Found(len(self.numbers))

    def _expand(self, state: S) -> list[S]:
        here, fresh = self.numbers[state], []
        for name, following in self.explored.steps(state):
            after = self.explored.canonical(following)
            if after not in self.numbers:
                self._number(after, here, name)
                fresh.append(after)
            if name in BY_ITSELF:
                self.before[self.numbers[after]].append(here)
        return fresh

    def _number(self, state: S, before: int, step: str) -> None:
        self.numbers[state] = len(self.numbers)
        self.came.append((before, step))
        self.before.append([])

    def _stuck(self) -> int | None:
        """A state from which what happens by itself does not lead to one where nothing is held."""
        queue = deque(number for state, number in self.numbers.items() if self.explored.is_at_rest(state))
        ends = set(queue)
        while queue:
            for before in self.before[queue.popleft()]:
                if before not in ends:
                    ends.add(before)
                    queue.append(before)
        return next((number for number in range(len(self.numbers)) if number not in ends), None)

    def _found(self, number: int, wrong: str) -> Found:
        way: list[str] = []
        while number > 0:
            number, step = self.came[number]
            way.append(step)
        return Found(len(self.numbers), wrong, tuple(reversed(way)))


def what_is_wrong(state: State) -> str:
    """What must never be, in words; nothing if all is well."""
    requests = state.requests
    if any(request.charges > 1 for request in requests):
        return "charged twice"
    if any(request.end_marker and request.record is not Record.CHARGED for request in requests):
        return "an end marker without a charge"
    if state.posted != state.credit - sum(request.charges * request.cost for request in requests):
        return "the wallet is not what was charged"
    if any(request.charges != (request.record is Record.CHARGED) for request in requests):
        return "a charge without its record"
    if state.held != WORST * sum(request.hold > 0 for request in requests):
        return "what is held is not the holds"
    if state.posted - state.held + state.excused < 0:
        return "overspent"
    if any(request.hold and request.record for request in requests):
        return "held after its end"
    return "reaped a hold that was extended" if state.reaped_alive else ""
