"""May they, now? Requests and tokens per minute and concurrency, for every scope of a request, in one decision.

Valkey decides (`admission.lua`): one round trip serves all requests that arrive meanwhile, one script an organization.
Without Valkey this process decides alone, at the limit divided by the number of processes, never without a limit.

A pool of engines may have a limit of requests at once, too, which all processes and organizations share: a lease under
the pool's own hash tag, asked for in the same round trip. If only one of the two lets it in, the other is undone.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import orjson

from foundation.batching import Batcher
from foundation.valkey import Valkey
from inference.gateway.errors import PoolBusy
from inference.gateway.local_limits import LocalLimits
from inference.gateway.refusals import refusal
from inference.gateway.scripts import ADMIT, EXTEND, RELEASE, Call, Scripts
from keys.effective import Rate

POOL = "pool:"
# A pool that is full may have a place again at any moment.
POOL_RETRY_SECONDS = 1.0


class Amounts(NamedTuple):
    """Tokens that a request is expected to use, then those that it did use."""

    input: int
    output: int

    def as_row(self) -> list[int]:
        """Requests, tokens, input tokens, output tokens."""
        return [1, self.input + self.output, self.input, self.output]


NOTHING = Amounts(0, 0)


class AdmissionRequest(NamedTuple):
    """What one request asks of the limits of its scopes, and of one of the pools that could serve it, best first."""

    organization_id: UUID
    lease_id: str
    rates: tuple[Rate, ...]
    amounts: Amounts
    pools: tuple[Rate, ...] = ()


class Headroom(NamedTuple):
    """The tightest limits that admitted a request, for the x-ratelimit headers; -1 where there is none."""

    requests: int
    requests_left: int
    requests_reset_ms: int
    tokens: int
    tokens_left: int
    tokens_reset_ms: int


class Ask(NamedTuple):
    """One question: may a request in by these rates, which are kept together under one tag?"""

    tag: str
    lease_id: str
    rates: tuple[Rate, ...]
    amounts: Amounts


class Grant(NamedTuple):
    """A question that was answered with yes: what to give back in the end."""

    ask: Ask
    second: int
    degraded: bool


class Ticket(NamedTuple):
    """An admitted request. `fence` is the newest version of the organization, `pool` where it has a place, if any."""

    grants: tuple[Grant, ...]
    fence: int
    headroom: Headroom
    pool: str = ""

    @property
    def degraded(self) -> bool:
        """Whether this process decided alone."""
        return any(grant.degraded for grant in self.grants)


class _Decision(NamedTuple):
    fence: int
    second: int
    verdict: Sequence[int]
    degraded: bool

    @property
    def is_yes(self) -> bool:
        return self.verdict[0] == 1


class Admission:
    """Admits, extends and releases; batches of each."""

    def __init__(self, valkey: Valkey, *, lease_seconds: float, processes: int, timeout_seconds: float) -> None:
        self._scripts = Scripts(valkey, timeout_seconds)
        self._lease_ms = int(lease_seconds * 1000)
        self._local = LocalLimits(processes=processes, lease_seconds=lease_seconds)
        self._admitting = Batcher(self._admit_all, name="admissions", max_batch=256)
        self._releasing = Batcher(self._release_all, name="releases", max_batch=256)

    def enqueue(self, request: AdmissionRequest) -> asyncio.Future[Ticket]:
        """Ask for admission; await the future.

        Raises `RateLimited`, `ConcurrencyLimited`, `InvalidRequest`, and `PoolBusy` when no pool has a place.
        """
        return self._admitting.enqueue(request)

    def release(self, ticket: Ticket, used: Amounts) -> None:
        """End a request: its leases go, its tokens become what was used. Nobody waits for this."""
        for grant in ticket.grants:
            tokens = NOTHING if grant.ask.amounts is NOTHING else used
            _ignore_outcome(self._releasing.enqueue((grant, tokens)))

    def undo(self, ticket: Ticket) -> None:
        """Take an admission back, as if it had never been: another check refused the request."""
        for grant in ticket.grants:
            self._give_back(grant)

    async def extend(self, tickets: Sequence[Ticket]) -> None:
        """Renew the leases of requests that run. A lease that ran out is not brought back."""
        leases: defaultdict[str, list[str]] = defaultdict(list)
        alone: list[str] = []
        for grant in (grant for ticket in tickets for grant in ticket.grants):
            if grant.degraded:
                alone.append(grant.ask.lease_id)
                continue
            for rate in grant.ask.rates:
                if rate.concurrency is not None:
                    leases[_lease_key(grant.ask.tag, rate)].append(grant.ask.lease_id)
        if leases:
            calls: list[Call] = [(EXTEND, [key], [self._lease_ms, orjson.dumps(ids)]) for key, ids in leases.items()]
            await self._scripts.run(calls)
        self._local.extend(alone, time.monotonic())

    async def drain(self) -> None:
        """Wait until everything that was released is written."""
        await self._releasing.drain()

    async def _admit_all(self, requests: list[AdmissionRequest]) -> list[Ticket | Exception]:
        own = [Ask(str(one.organization_id), one.lease_id, one.rates, one.amounts) for one in requests]
        seeking = {position: _places(one) for position, one in enumerate(requests) if one.pools}
        first = [places[0] for places in seeking.values() if places[0].rates]
        decisions = await self._decide([*own, *first])
        results = [_result(ask, decision) for ask, decision in zip(own, decisions, strict=False)]
        if seeking:
            answers = dict(zip(first, decisions[len(own) :], strict=True))
            await self._seat(seeking, answers, results)
        return results

    async def _seat(
        self, seeking: dict[int, list[Ask]], answers: dict[Ask, _Decision], results: list[Ticket | Exception]
    ) -> None:
        """Give each admitted request a place in the first pool that has one; undo it if none has."""
        while seeking:
            for position, places in list(seeking.items()):
                result, place = results[position], places.pop(0)
                answer = answers.get(place)
                if answer is not None and not answer.is_yes and places and isinstance(result, Ticket):
                    continue
                del seeking[position]
                results[position] = self._seated(result, place, answer)
            asked = [places[0] for places in seeking.values() if places[0].rates]
            answers = dict(zip(asked, await self._decide(asked), strict=True))

    def _seated(self, result: Ticket | Exception, place: Ask, answer: _Decision | None) -> Ticket | Exception:
        grants = () if answer is None or not answer.is_yes else (Grant(place, answer.second, answer.degraded),)
        if not isinstance(result, Ticket):
            for grant in grants:
                self._give_back(grant)
            return result
        if answer is not None and not grants:
            self.undo(result)
            return PoolBusy(retry_after=POOL_RETRY_SECONDS)
        return result._replace(grants=(*result.grants, *grants), pool=place.tag.removeprefix(POOL))

    async def _decide(self, asks: list[Ask]) -> list[_Decision]:
        groups: defaultdict[str, list[int]] = defaultdict(list)
        for position, ask in enumerate(asks):
            groups[ask.tag].append(position)
        if not groups:
            return []
        answers = await self._scripts.run(
            [self._admit_call([asks[position] for position in group]) for group in groups.values()]
        )
        decisions: dict[int, _Decision] = {}
        for group, answer in zip(groups.values(), answers, strict=True):
            fence, second, *verdicts = answer or self._local.admit([asks[place] for place in group], time.monotonic())
            for position, verdict in zip(group, verdicts, strict=True):
                decisions[position] = _Decision(fence, second, verdict, degraded=answer is None)
        return [decisions[position] for position in range(len(asks))]

    def _admit_call(self, asks: list[Ask]) -> Call:
        scopes: dict[Rate, int] = {}
        rows = [
            [ask.lease_id, ask.amounts.as_row(), [scopes.setdefault(rate, len(scopes) + 1) for rate in ask.rates]]
            for ask in asks
        ]
        tag = asks[0].tag
        keys = [f"{{{tag}}}:fence"]
        for rate in scopes:
            keys += [_rate_key(tag, rate), _lease_key(tag, rate)]
        limits = [[-1 if limit is None else limit for limit in _limits(rate)] for rate in scopes]
        return ADMIT, keys, [self._lease_ms, orjson.dumps({"scopes": limits, "requests": rows})]

    def _give_back(self, grant: Grant) -> None:
        _ignore_outcome(self._releasing.enqueue((grant, None)))

    async def _release_all(self, ended: list[tuple[Grant, Amounts | None]]) -> list[None]:
        groups: defaultdict[str, list[tuple[Grant, Amounts | None]]] = defaultdict(list)
        for grant, used in ended:
            if grant.degraded:
                self._local.release(grant.ask, used, grant.second)
            elif grant.ask.rates:
                groups[grant.ask.tag].append((grant, used))
        if groups:
            await self._scripts.run([_release_call(group) for group in groups.values()])
        return [None] * len(ended)


def _places(request: AdmissionRequest) -> list[Ask]:
    """One question for each pool; a pool without a limit has no rates and is not asked."""
    return [
        Ask(POOL + pool.scope_id, request.lease_id, () if pool.concurrency is None else (pool,), NOTHING)
        for pool in request.pools
    ]


def _release_call(group: list[tuple[Grant, Amounts | None]]) -> Call:
    scopes: dict[Rate, int] = {}
    rows = []
    for grant, used in group:
        numbers = [scopes.setdefault(rate, len(scopes) + 1) for rate in grant.ask.rates]
        rows.append([grant.ask.lease_id, grant.second, _differences(grant.ask.amounts, used), numbers])
    tag = group[0][0].ask.tag
    keys = [key for rate in scopes for key in (_rate_key(tag, rate), _lease_key(tag, rate))]
    return RELEASE, keys, [orjson.dumps(rows)]


def _differences(reserved: Amounts, used: Amounts | None) -> list[int]:
    if used is None:
        return [-amount for amount in reserved.as_row()]
    return [after - before for after, before in zip(used.as_row(), reserved.as_row(), strict=True)]


def _limits(rate: Rate) -> tuple[int | None, ...]:
    return rate.rpm, rate.tpm, rate.input_tpm, rate.output_tpm, rate.concurrency


def _rate_key(tag: str, rate: Rate) -> str:
    return f"{{{tag}}}:rate:{rate.scope}:{rate.scope_id}"


def _lease_key(tag: str, rate: Rate) -> str:
    return f"{{{tag}}}:running:{rate.scope}:{rate.scope_id}"


def _result(ask: Ask, decision: _Decision) -> Ticket | Exception:
    if decision.is_yes:
        grant = Grant(ask, decision.second, decision.degraded)
        return Ticket((grant,), decision.fence, Headroom(*decision.verdict[1:]))
    _, place, kind, limit, left, wait_ms = decision.verdict
    needed = [*ask.amounts.as_row(), 1][kind - 1]
    return refusal(ask.rates[place - 1], kind, needed=needed, limit=limit, left=left, wait_ms=wait_ms)


def _ignore_outcome(future: asyncio.Future[None]) -> None:
    """A release that fails is no error of anybody's: leases run out, and buckets too."""
    future.add_done_callback(lambda done: done.cancelled() or done.exception())
