"""Slices as a small model that can be explored to its end.

One process takes a slice and holds two requests in it; another process holds one on its own; a reaper. Every SQL
function is one atomic step. Between the steps a process dies, a message comes late, twice or never, an answer is lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from tests.billing.machine.state import Hold, Phase, Record

# The slice holds a worst case and a half: the second request fits once the first has cost no more than half of it.
CREDIT, WORST, SIZE = 5, 2, 3
COSTS = (1, 2)
OTHER = 2


@dataclass(frozen=True)
class Rules:
    """What the SQL functions and their callers promise."""

    a_slice_is_held: bool = True
    memory_subtracts: bool = True
    memory_ends_before_the_lease: bool = True
    settle_takes_from_the_slice: bool = True
    settle_once: bool = True
    a_duplicate_is_a_doubt: bool = True
    settle_without_a_slice_charges: bool = True
    void_asks_what_it_found: bool = True
    enter_never_after_the_end: bool = True
    enter_needs_its_slice: bool = True
    giving_back_subtracts_first: bool = True
    giving_back_reaches_the_purse: bool = True
    reaper_takes_the_requests_of_a_slice: bool = True
    reaper_asks_again: bool = True
    reaper_runs: bool = True
    end_marker_waits_for_settlement: bool = True


class Request(NamedTuple):
    """One of the two; `row` is its own, written behind. `entering` and `settling` are messages under way."""

    phase: Phase = Phase.NEW
    row: Hold = Hold.NONE
    record: Record = Record.NONE
    charges: int = 0
    cost: int = 0
    release: int = 0
    entering: int = 0
    settling: int = 0
    end_marker: bool = False


class State(NamedTuple):
    """`slice` and `amount` are the row in Postgres; `known`, `free`, `usable` and `retired` what the process knows."""

    requests: tuple[Request, Request] = (Request(), Request())
    posted: int = CREDIT
    held: int = 0
    slice: Hold = Hold.NONE
    amount: int = 0
    alive: bool = True
    known: bool = False
    free: int = 0
    usable: bool = False
    retired: bool = False
    giving: int = 0
    asked: bool = False
    other: bool = False
    looked_at: bool = False
    excused: int = 0
    held_in_nothing: bool = False
    reaped_alive: bool = False


type Step = tuple[str, State]


def steps(state: State, rules: Rules) -> Iterator[Step]:
    """Everything that can happen next."""
    yield from _slice(state, rules)
    yield from _other(state)
    for i, request in enumerate(state.requests):
        if state.alive:
            yield from _work(state, i, request, rules)
        yield from _deliver(state, i, request, rules)
        if request.row is Hold.ALIVE:
            yield "a lease runs out", _changed(state, i, row=Hold.STALE)
    if state.alive:
        dead = state._replace(alive=False, known=False, free=0, usable=False, retired=False)
        yield "the process dies", dead._replace(requests=_forgotten(state.requests))
    if rules.reaper_runs:
        yield from _reap(state, rules)


def _slice(state: State, rules: Rules) -> Iterator[Step]:
    room = state.posted - state.held
    if not state.asked and state.alive and room >= SIZE:
        taken = state._replace(
            asked=True, slice=Hold.ALIVE, amount=SIZE, held=state.held + (SIZE if rules.a_slice_is_held else 0)
        )
        yield "take a slice, unheard", taken
        yield "take a slice", taken._replace(known=True, free=SIZE, usable=True)
    if state.known and state.usable:
        yield "the process stops using it", state._replace(usable=False)
    if state.known and state.slice:
        yield "renew", state._replace(slice=Hold.ALIVE, usable=True)
    if state.slice is Hold.ALIVE and not (state.usable and rules.memory_ends_before_the_lease):
        yield "a lease runs out", state._replace(slice=Hold.STALE)
    if state.known and state.free and not state.giving:
        kept = 0 if rules.giving_back_subtracts_first else state.free
        yield "recall", state._replace(retired=True, giving=state.free, free=kept)
        yield "give back", state._replace(giving=state.free, free=kept)
    if state.giving:
        yield "giving back is lost", state._replace(giving=0, retired=True)
        yield "given back", _given_back(state, rules)._replace(giving=0)


def _given_back(state: State, rules: Rules) -> State:
    if not state.slice:
        return state
    by = state.giving
    return state._replace(
        amount=state.amount - by, held=state.held - (by if rules.giving_back_reaches_the_purse else 0)
    )


def _other(state: State) -> Iterator[Step]:
    """Another process holds a request on its own; in the end it gives it back."""
    if state.other:
        yield "the other one is voided", state._replace(other=False, held=state.held - OTHER)
    elif state.posted - state.held >= OTHER:
        yield "another one is held", state._replace(other=True, held=state.held + OTHER)


def _work(state: State, i: int, request: Request, rules: Rules) -> Iterator[Step]:
    match request.phase:
        case Phase.NEW if state.known and state.usable and not state.retired and state.free >= WORST:
            free = state.free - (WORST if rules.memory_subtracts else 0)
            inside = _changed(state, i, phase=Phase.RUNNING)._replace(free=free)
            yield "hold in the slice", inside._replace(held_in_nothing=not state.slice)
        case Phase.RUNNING:
            if not request.entering and not request.row:
                yield "write it down", _changed(state, i, entering=1)
            if not request.entering:
                yield "void", _voided(state, i, request, rules)
            for cost in COSTS:
                release = WORST if state.retired else cost
                marker = not rules.end_marker_waits_for_settlement
                yield (
                    "the engine ends",
                    _changed(state, i, phase=Phase.SETTLING, cost=cost, release=release, settling=1, end_marker=marker),
                )
        case Phase.SETTLING:
            lost = _changed(state, i, phase=Phase.OVER)._replace(retired=True)
            yield "give up", lost
            if not request.settling:
                yield "settle again", _changed(state, i, settling=1)


def _voided(state: State, i: int, request: Request, rules: Rules) -> State:
    """What was held is free again, unless the reaper was there first: then it is gone from the slice."""
    after = _changed(state, i, phase=Phase.OVER, row=Hold.NONE)
    if request.record and rules.void_asks_what_it_found:
        return after._replace(retired=True)
    return after._replace(free=state.free + WORST)


def _deliver(state: State, i: int, request: Request, rules: Rules) -> Iterator[Step]:
    if request.entering:
        yield "a row is lost", _changed(state, i, entering=0)
        yield "a row is written", _enter(_changed(state, i, entering=0), i, rules)
    if request.settling:
        yield "a settlement is lost", _changed(state, i, settling=0)
        after, in_time = _settle(_changed(state, i, settling=0), i, rules)
        yield "settled, unheard", after
        if state.alive and request.phase is Phase.SETTLING:
            heard = _changed(after, i, phase=Phase.OVER, end_marker=True)
            if in_time:
                yield "settled", heard._replace(free=heard.free + WORST - request.release)
            else:
                yield "settled late, or before", heard._replace(retired=True)


def _enter(state: State, i: int, rules: Rules) -> State:
    request = state.requests[i]
    if request.row or (request.record and rules.enter_never_after_the_end):
        return state
    if not state.slice and rules.enter_needs_its_slice:
        return state
    return _changed(state, i, row=Hold.ALIVE)


def _settle(state: State, i: int, rules: Rules) -> tuple[State, bool]:
    request = state.requests[i]
    if request.record is Record.CHARGED and rules.settle_once:
        return state, not rules.a_duplicate_is_a_doubt
    in_time = bool(state.slice) and request.record is not Record.EXPIRED
    if not in_time and not rules.settle_without_a_slice_charges:
        return state, False
    release = request.release if in_time and rules.settle_takes_from_the_slice else 0
    state = state._replace(
        posted=state.posted - request.cost,
        held=state.held - (request.release if in_time else 0),
        amount=state.amount - release,
        excused=state.excused + (0 if in_time else request.cost),
    )
    charged = _changed(state, i, row=Hold.NONE, record=Record.CHARGED, charges=request.charges + 1)
    return charged, in_time


def _reap(state: State, rules: Rules) -> Iterator[Step]:
    if not state.looked_at:
        if state.slice is Hold.STALE:
            yield "the reaper looks", state._replace(looked_at=True)
        for i, request in enumerate(state.requests):
            if request.row is Hold.STALE:
                alone = _changed(state, i, row=Hold.NONE, record=max(request.record, Record.EXPIRED))
                yield "the reaper reaps", alone._replace(amount=state.amount - WORST, held=state.held - WORST)
        return
    before = state._replace(looked_at=False)
    if state.slice is Hold.STALE or (state.slice and not rules.reaper_asks_again):
        after = before._replace(slice=Hold.NONE, amount=0, held=state.held - state.amount)
        after = after._replace(reaped_alive=state.slice is Hold.ALIVE)
        for i, request in enumerate(state.requests):
            if request.row and rules.reaper_takes_the_requests_of_a_slice:
                after = _changed(after, i, row=Hold.NONE, record=max(request.record, Record.EXPIRED))
        yield "the reaper reaps", after
    else:
        yield "the reaper reaps", before


def _changed(state: State, i: int, **changes: Any) -> State:
    one, two = state.requests
    changed = (one._replace(**changes), two) if i == 0 else (one, two._replace(**changes))
    return state._replace(requests=changed)


def _forgotten(requests: tuple[Request, Request]) -> tuple[Request, Request]:
    one, two = (request._replace(phase=Phase.OVER) for request in requests)
    return one, two


def canonical(state: State) -> State:
    """The same state, whatever the requests are called."""
    one, two = sorted(state.requests)
    return state._replace(requests=(one, two))


def is_at_rest(state: State) -> bool:
    """Whether nothing is held by the process or its slice."""
    return not state.slice and not any(request.row for request in state.requests)


def what_is_wrong(state: State) -> str:
    """What must never be, in words; nothing if all is well."""
    requests = state.requests
    if any(request.charges > 1 for request in requests):
        return "charged twice"
    if any(request.end_marker and request.record is not Record.CHARGED for request in requests):
        return "an end marker without a charge"
    if state.posted != CREDIT - sum(request.charges * request.cost for request in requests):
        return "the wallet is not what was charged"
    if state.held != state.amount + OTHER * state.other:
        return "what is held is not the holds"
    if state.posted - state.held + state.excused < 0:
        return "overspent"
    if any(request.row and request.record for request in requests):
        return "held after its end"
    if any(request.row for request in requests) and not state.slice:
        return "a request without its slice"
    if state.held_in_nothing:
        return "held in a slice that is gone"
    inside = sum(WORST for request in requests if _needs_it(request))
    if state.slice and state.alive and state.known and state.free + inside > state.amount:
        return "a slice holds more than it has"
    return "reaped a slice that was renewed" if state.reaped_alive else ""


def _needs_it(request: Request) -> bool:
    return request.phase in (Phase.RUNNING, Phase.SETTLING) and not request.record
