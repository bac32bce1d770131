"""Explores every state of the protocol, breadth first. Says what is wrong with the first bad one, and how it came."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from tests.billing.machine.protocol import Rules, steps
from tests.billing.machine.state import CREDIT, WORST, Record, State, canonical

# What happens even if every worker is dead.
BY_ITSELF = frozenset({"a lease runs out", "the reaper looks", "the reaper reaps"})


@dataclass(frozen=True)
class Found:
    """What the exploration came to: nothing wrong, or what, and the shortest way there."""

    states: int
    wrong: str = ""
    way: tuple[str, ...] = ()


class Explorer:
    """One exploration; states are known by their number, in the order in which they were found."""

    def __init__(self, rules: Rules, credit: int = CREDIT) -> None:
        self.rules = rules
        self.start = State(credit=credit, posted=credit)
        self.numbers: dict[State, int] = {}
        self.came: list[tuple[int, str]] = []
        self.before: list[list[int]] = []

    def run(self) -> Found:
        queue = deque([self.start])
        self._number(self.start, -1, "")
        while queue:
            state = queue.popleft()
            if wrong := what_is_wrong(state):
                return self._found(self.numbers[state], wrong)
            queue.extend(self._expand(state))
        stuck = self._stuck()
        return self._found(stuck, "a hold never ends") if stuck is not None else Found(len(self.numbers))

    def _expand(self, state: State) -> list[State]:
        here, fresh = self.numbers[state], []
        for name, following in steps(state, self.rules):
            after = canonical(following)
            if after not in self.numbers:
                self._number(after, here, name)
                fresh.append(after)
            if name in BY_ITSELF:
                self.before[self.numbers[after]].append(here)
        return fresh

    def _number(self, state: State, before: int, step: str) -> None:
        self.numbers[state] = len(self.numbers)
        self.came.append((before, step))
        self.before.append([])

    def _stuck(self) -> int | None:
        """A state from which what happens by itself does not lead to one where nothing is held."""
        queue = deque(number for state, number in self.numbers.items() if not state.held)
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
