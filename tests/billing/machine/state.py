"""Where two requests, their workers, the reaper and the wallet can be: the states of the protocol."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NamedTuple

# The wallet holds one worst case and a half: the second request fits once the first has cost no more than half of it.
CREDIT, WORST = 3, 2
COSTS = (1, 2)
WORKERS = 2
NOBODY = -1
MOST_TRIES = 2


class Phase(IntEnum):
    """How far a worker is with a request. It is over when the client was told how it ended, or the worker died."""

    NEW = 0
    HOLDING = 1
    RUNNING = 2
    VOIDING = 3
    SETTLING = 4
    OVER = 5


class Hold(IntEnum):
    NONE = 0
    ALIVE = 1
    STALE = 2


class Record(IntEnum):
    NONE = 0
    EXPIRED = 1
    CHARGED = 2


class Mail(NamedTuple):
    """Messages to Postgres that are under way. They survive the worker that sent them."""

    hold: int = 0
    settle: int = 0
    void: int = 0
    extend: int = 0


class Request(NamedTuple):
    worker: int = NOBODY
    phase: Phase = Phase.NEW
    end_marker: bool = False
    hold: Hold = Hold.NONE
    record: Record = Record.NONE
    charges: int = 0
    cost: int = 0
    tries: int = 0
    mail: Mail = Mail()
    looked_at: bool = False


class State(NamedTuple):
    """All there is. `excused` was charged late, without a hold; `repeats` is how often a delivery may still repeat."""

    requests: tuple[Request, Request] = (Request(), Request())
    credit: int = CREDIT
    posted: int = CREDIT
    held: int = 0
    excused: int = 0
    repeats: int = 1
    reaped_alive: bool = False


def canonical(state: State) -> State:
    """The same state, whatever the requests and the workers are called."""
    one, two = state.requests
    return state._replace(requests=min(_numbered(one, two), _numbered(two, one)))


def _numbered(one: Request, two: Request) -> tuple[Request, Request]:
    first = max(one.worker, two.worker) if one.worker < 0 else one.worker
    if first <= 0:
        return one, two
    names = {first: 0, 1 - first: 1, NOBODY: NOBODY}
    return one._replace(worker=names[one.worker]), two._replace(worker=names[two.worker])


def changed(state: State, i: int, **changes: Any) -> State:
    """The state after something has happened to one request."""
    one, two = state.requests
    if i:
        return state._replace(requests=(one, two._replace(**changes)))
    return state._replace(requests=(one._replace(**changes), two))


def over(state: State, i: int, *, end_marker: bool = False) -> State:
    """What nobody will ask for again is forgotten: the fewer states there are, the further one can look."""
    return changed(state, i, phase=Phase.OVER, end_marker=end_marker, worker=NOBODY, tries=0)


def sent(state: State, i: int, kind: str, **changes: Any) -> State:
    """The state after a message has been sent."""
    mail = state.requests[i].mail
    return changed(state, i, mail=mail._replace(**{kind: getattr(mail, kind) + 1}), **changes)
