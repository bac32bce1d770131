"""Are the engines up? Each replica is asked for its health; what that makes of its state is a pure decision.

A replica is believed at once when it is well, and given a second chance when it is not: one lost packet takes nobody
out of service. `draining` is an operator's word and is never touched. States are written by compare-and-set, so two
probers or an operator at the same time cannot undo each other's doing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.conf import settings

from foundation import clock, logs
from inference.gateway.connections import Asking, Connections, EngineError
from inference.gateway.engines.kinds import ENGINES
from inference.models import Replica
from inference.publishing import catalogue_changed

TIMEOUT_SECONDS = 2.0
AT_ONCE = 100
FAILURES_TO_FALL = 2
MOST_FAILURES = 1_000_000

log = logs.get(__name__)


class Standing(NamedTuple):
    """What is held of a replica: its state, and how many probes failed in a row."""

    state: str
    failures: int


@dataclass(frozen=True, slots=True)
class Target:
    """One replica as it was when the round began."""

    replica: Replica
    standing: Standing

    @property
    def path(self) -> str:
        """What to ask for."""
        return ENGINES[self.replica.pool.engine].health


def next_state(state: str, failures: int, *, well: bool) -> Standing:
    """Decide what one more probe makes of a replica."""
    if state == Replica.State.DRAINING:
        return Standing(state, failures)
    if well:
        return Standing(Replica.State.HEALTHY, 0)
    failed = min(failures + 1, MOST_FAILURES)
    # One that was never seen well is not sent requests, so there is nothing to be patient for.
    is_down = failed >= FAILURES_TO_FALL or state != Replica.State.HEALTHY
    return Standing(Replica.State.UNHEALTHY if is_down else state, failed)


def is_well(engine: str, status: int) -> bool:
    """Judge an answer by its status: 503 is an engine that loads its model, 401 a service that wants a credential."""
    return status < 500 if ENGINES[engine].foreign else 200 <= status < 300


def probe_replicas() -> int:
    """Ask every replica, all at once, and write what changed; return how many changed their state."""
    replicas = Replica.objects.exclude(state=Replica.State.DRAINING).select_related("pool")
    targets = [Target(replica, Standing(replica.state, replica.failures)) for replica in replicas]
    answers = asyncio.run(ask(targets)) if targets else []
    changed = sum(_write(target, well=well) for target, well in zip(targets, answers, strict=True))
    if changed:
        catalogue_changed()
    return changed


async def ask(targets: Sequence[Target]) -> list[bool]:
    """Ask the replicas at once; return who is well, in the same order. Nothing that they answer can raise here."""
    turn = asyncio.Semaphore(AT_ONCE)
    # The gateway's own way to the engines: what it cannot reach is not well, be it for want of a certificate.
    connections = Connections(settings.ENGINE_CA_BUNDLE)
    try:
        return await asyncio.gather(*(_ask(connections, turn, target) for target in targets))
    finally:
        connections.close()


async def _ask(connections: Connections, turn: asyncio.Semaphore, target: Target) -> bool:
    try:
        asking = connections.get(target.replica.url, target.path, TIMEOUT_SECONDS)
        async with turn, asyncio.timeout(TIMEOUT_SECONDS):
            return is_well(target.replica.pool.engine, await _status(asking))
    except (EngineError, TimeoutError, ValueError):
        return False


async def _status(asking: Asking) -> int:
    try:
        await asking.send()
        return asking.status
    finally:
        asking.finish()


def _write(target: Target, *, well: bool) -> bool:
    """Write what the probe makes of a replica unless somebody else was faster; say whether its state changed."""
    before, after = target.standing, next_state(*target.standing, well=well)
    as_it_was = Replica.objects.filter(pk=target.replica.pk, state=before.state, failures=before.failures)
    is_ours = as_it_was.update(state=after.state, failures=after.failures, checked_at=clock.now())
    if not is_ours or after.state == before.state:
        return False
    log.info("replica_changed_state", replica=str(target.replica.pk), pool=target.replica.pool.name, state=after.state)
    return True
