"""Hold, settle, void, extend, reap, as a small model that can be explored to its end.

Two requests on two workers and a reaper share one wallet. Every SQL function is one atomic step, which is what locking
the wallet makes of it (test_interleavings.py). Between the steps anything may happen: a worker dies, a message is
delivered late, twice or never, an answer is lost, a lease runs out at the worst moment.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.billing.machine.state import (
    COSTS,
    MOST_TRIES,
    WORKERS,
    WORST,
    Hold,
    Mail,
    Phase,
    Record,
    Request,
    State,
    changed,
    over,
    sent,
)


@dataclass(frozen=True)
class Rules:
    """What the SQL functions and their callers promise."""

    hold_counts_what_is_held: bool = True
    hold_once: bool = True
    hold_never_after_the_end: bool = True
    settle_once: bool = True
    settle_releases: bool = True
    settle_without_a_hold_charges: bool = True
    void_releases_only_what_is_held: bool = True
    extend_only_what_is_held: bool = True
    reaper_runs: bool = True
    reaper_releases: bool = True
    reaper_asks_again: bool = True
    end_marker_waits_for_settlement: bool = True
    a_lost_answer_is_asked_again: bool = True


type Step = tuple[str, State]


def steps(state: State, rules: Rules) -> Iterator[Step]:
    """Everything that can happen next."""
    for i, request in enumerate(state.requests):
        yield from _work(state, i, request, rules)
        yield from _deliver(state, i, request, rules)
        if request.hold is Hold.ALIVE:
            yield "a lease runs out", changed(state, i, hold=Hold.STALE)
    for worker in range(WORKERS):
        yield from _crash(state, worker)
    if rules.reaper_runs:
        yield from _reap(state, rules)


def _work(state: State, i: int, request: Request, rules: Rules) -> Iterator[Step]:
    """What a worker does by itself."""
    match request.phase:
        case Phase.NEW:
            for worker in range(WORKERS):
                yield "ask for a hold", sent(state, i, "hold", worker=worker, phase=Phase.HOLDING)
        case Phase.RUNNING:
            yield "refused by a limit", sent(state, i, "void", phase=Phase.VOIDING)
            if not request.mail.extend:
                yield "extend", sent(state, i, "extend")
            for cost in COSTS:
                early = not rules.end_marker_waits_for_settlement
                ended = sent(state, i, "settle", phase=Phase.SETTLING, cost=cost, tries=1, end_marker=early)
                yield "the engine ends", ended
        case Phase.HOLDING | Phase.VOIDING:
            yield "give up", over(state, i)
        case Phase.SETTLING:
            if not rules.a_lost_answer_is_asked_again:
                yield "take it for settled", over(state, i, end_marker=True)
            if request.tries < MOST_TRIES:
                yield "settle again", sent(state, i, "settle", tries=request.tries + 1)
            yield "give up", over(state, i, end_marker=request.end_marker)


def _deliver(state: State, i: int, request: Request, rules: Rules) -> Iterator[Step]:
    """A message is executed, and its answer is heard or not. It may come again. One that is lost never comes."""
    for kind, count in zip(Mail._fields, request.mail, strict=True):
        if not count:
            continue
        deliveries = [changed(state, i, mail=request.mail._replace(**{kind: count - 1}))]
        if state.repeats:
            deliveries.append(state._replace(repeats=state.repeats - 1))
        for before in deliveries:
            after, answer = EXECUTE[kind](before, i, rules)
            yield f"{kind}: {answer}, unheard", after
            if request.phase is LISTENS[kind]:
                yield f"{kind}: {answer}", _heard(after, i, answer)


def _heard(state: State, i: int, answer: str) -> State:
    if answer == "held":
        return changed(state, i, phase=Phase.RUNNING)
    return over(state, i, end_marker=answer == "settled")


def _hold(state: State, i: int, rules: Rules) -> tuple[State, str]:
    request = state.requests[i]
    if request.hold and rules.hold_once:
        return state, "held"
    if request.record and rules.hold_never_after_the_end:
        return state, "refused"
    if state.posted - (state.held if rules.hold_counts_what_is_held else 0) < WORST:
        return state, "refused"
    return changed(state._replace(held=state.held + WORST), i, hold=Hold.ALIVE), "held"


def _settle(state: State, i: int, rules: Rules) -> tuple[State, str]:
    request = state.requests[i]
    if request.record is Record.CHARGED and rules.settle_once:
        return state, "settled"
    if not request.hold and not rules.settle_without_a_hold_charges:
        return state, "settled"
    excused = 0 if request.hold else request.cost
    released = WORST if request.hold and rules.settle_releases else 0
    state = state._replace(
        posted=state.posted - request.cost, held=state.held - released, excused=state.excused + excused
    )
    hold = Hold.NONE if rules.settle_releases else request.hold
    return changed(state, i, hold=hold, record=Record.CHARGED, charges=request.charges + 1), "settled"


def _void(state: State, i: int, rules: Rules) -> tuple[State, str]:
    if not state.requests[i].hold and rules.void_releases_only_what_is_held:
        return state, "voided"
    return changed(state._replace(held=state.held - WORST), i, hold=Hold.NONE), "voided"


def _extend(state: State, i: int, rules: Rules) -> tuple[State, str]:
    if not state.requests[i].hold and rules.extend_only_what_is_held:
        return state, ""
    return changed(state, i, hold=Hold.ALIVE), ""


def _crash(state: State, worker: int) -> Iterator[Step]:
    """All requests of a process die with it; what it has sent is still under way."""
    after = state
    for i, request in enumerate(state.requests):
        if request.worker == worker:
            after = over(after, i, end_marker=request.end_marker)
    if after is not state:
        yield "a worker dies", after


def _reap(state: State, rules: Rules) -> Iterator[Step]:
    """The reaper looks without a lock, then takes the lock and asks again. It may die in between."""
    looked_at = [i for i, request in enumerate(state.requests) if request.looked_at]
    if not looked_at:
        stale = [i for i, request in enumerate(state.requests) if request.hold is Hold.STALE]
        if stale:
            yield "the reaper looks", _marked(state, stale, looked_at=True)
        return
    after = _marked(state, looked_at, looked_at=False)
    yield "the reaper dies", after
    for i in looked_at:
        hold = after.requests[i].hold
        if hold is Hold.STALE or (hold and not rules.reaper_asks_again):
            record = max(after.requests[i].record, Record.EXPIRED)
            after = changed(after, i, hold=Hold.NONE, record=record)._replace(
                held=after.held - (WORST if rules.reaper_releases else 0),
                reaped_alive=after.reaped_alive or hold is Hold.ALIVE,
            )
    yield "the reaper reaps", after


def _marked(state: State, which: list[int], *, looked_at: bool) -> State:
    for i in which:
        state = changed(state, i, looked_at=looked_at)
    return state


EXECUTE = {"hold": _hold, "settle": _settle, "void": _void, "extend": _extend}
LISTENS = {"hold": Phase.HOLDING, "settle": Phase.SETTLING, "void": Phase.VOIDING, "extend": None}
