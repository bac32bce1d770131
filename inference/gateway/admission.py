"""May they, now? Requests and tokens per minute and concurrency, for every scope of a caller, in one decision.

Valkey decides (`admission.lua`): one round trip serves all requests that arrive meanwhile, one script an organization.
Without Valkey this process decides alone, at the limit divided by the number of processes, never without a limit.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any
from uuid import UUID

import orjson
from redis.asyncio import Redis
from redis.exceptions import NoScriptError

from foundation import logs, metrics
from foundation.batching import Batcher
from foundation.errors import InvalidRequest, PlatformError, RateLimited
from foundation.stores import StoreDown, within
from inference.gateway.errors import ConcurrencyLimited
from inference.gateway.local_limits import LocalLimits
from keys.effective import Rate

log = logs.get(__name__)

ADMIT, RELEASE, EXTEND = (
    files(__package__).joinpath(f"{name}.lua").read_text() for name in ("admission", "release", "extend")
)
# After a failure Valkey is left alone for this long, so that not every batch waits for its time limit.
RETRY_SECONDS = 1.0

_KINDS = {1: "requests", 2: "tokens", 3: "input tokens", 4: "output tokens"}


@dataclass(frozen=True, slots=True)
class Amounts:
    """Tokens that a request is expected to use, then those that it did use."""

    input: int
    output: int

    def as_row(self) -> list[int]:
        """Requests, tokens, input tokens, output tokens."""
        return [1, self.input + self.output, self.input, self.output]


@dataclass(frozen=True, slots=True)
class AdmissionRequest:
    """What one request asks of the limits of its caller."""

    organization_id: UUID
    lease_id: str
    rates: tuple[Rate, ...]
    amounts: Amounts


@dataclass(frozen=True, slots=True)
class Headroom:
    """The tightest limits that admitted a request, for the x-ratelimit headers; -1 where there is none."""

    requests: int
    requests_left: int
    requests_reset_ms: int
    tokens: int
    tokens_left: int
    tokens_reset_ms: int


@dataclass(frozen=True, slots=True)
class Ticket:
    """An admitted request: what to give back in the end. `fence` is the newest version of the organization."""

    request: AdmissionRequest
    second: int
    fence: int
    headroom: Headroom
    degraded: bool


class Admission:
    """Admits, extends and releases; batches of each."""

    def __init__(self, valkey: Redis, *, lease_seconds: float, processes: int, timeout_seconds: float) -> None:
        self._valkey = valkey
        self._timeout_seconds = timeout_seconds
        self._lease_ms = int(lease_seconds * 1000)
        self._local = LocalLimits(processes=processes, lease_seconds=lease_seconds)
        self._shas: dict[str, str] = {}
        self._down_until = 0.0
        self._admitting = Batcher(self._admit_all, name="admissions", max_batch=256)
        self._releasing = Batcher(self._release_all, name="releases", max_batch=256)

    def enqueue(self, request: AdmissionRequest) -> asyncio.Future[Ticket]:
        """Ask for admission; await the future. Raises `RateLimited`, `ConcurrencyLimited`, `InvalidRequest`."""
        return self._admitting.enqueue(request)

    def release(self, ticket: Ticket, used: Amounts) -> None:
        """End a request: its lease goes, its tokens become what was used. Nobody waits for this."""
        _ignore_outcome(self._releasing.enqueue((ticket, used)))

    def undo(self, ticket: Ticket) -> None:
        """Take an admission back, as if it had never been: another check refused the request."""
        _ignore_outcome(self._releasing.enqueue((ticket, None)))

    async def extend(self, tickets: Sequence[Ticket]) -> None:
        """Renew the leases of requests that run. A lease that ran out is not brought back."""
        leases: defaultdict[str, list[str]] = defaultdict(list)
        for ticket in tickets:
            if not ticket.degraded:
                for rate in ticket.request.rates:
                    if rate.concurrency is not None:
                        leases[_lease_key(ticket.request.organization_id, rate)].append(ticket.request.lease_id)
        if leases:
            calls = [(EXTEND, [key], [self._lease_ms, orjson.dumps(ids)]) for key, ids in leases.items()]
            await self._run(calls)
        self._local.extend([ticket.request.lease_id for ticket in tickets if ticket.degraded], time.monotonic())

    async def drain(self) -> None:
        """Wait until everything that was released is written."""
        await self._releasing.drain()

    async def _admit_all(self, requests: list[AdmissionRequest]) -> list[Ticket | Exception]:
        groups: defaultdict[UUID, list[int]] = defaultdict(list)
        for position, request in enumerate(requests):
            groups[request.organization_id].append(position)
        calls = [self._admit_call([requests[position] for position in group]) for group in groups.values()]
        answers = await self._run(calls)
        results: list[Ticket | Exception] = [PlatformError()] * len(requests)
        for group, answer in zip(groups.values(), answers, strict=True):
            admitted = [requests[position] for position in group]
            degraded = answer is None
            fence, second, *verdicts = answer or self._local.admit(admitted, time.monotonic())
            for position, verdict in zip(group, verdicts, strict=True):
                results[position] = _decide(requests[position], second, fence, verdict, degraded=degraded)
        return results

    def _admit_call(self, requests: list[AdmissionRequest]) -> tuple[str, list[str], list[Any]]:
        scopes: dict[Rate, int] = {}
        rows = [
            [
                request.lease_id,
                request.amounts.as_row(),
                [scopes.setdefault(rate, len(scopes) + 1) for rate in request.rates],
            ]
            for request in requests
        ]
        organization = requests[0].organization_id
        keys = [f"{{{organization}}}:fence"]
        for rate in scopes:
            keys += [_rate_key(organization, rate), _lease_key(organization, rate)]
        limits = [[-1 if limit is None else limit for limit in _limits(rate)] for rate in scopes]
        return ADMIT, keys, [self._lease_ms, orjson.dumps({"scopes": limits, "requests": rows})]

    async def _release_all(self, ended: list[tuple[Ticket, Amounts | None]]) -> list[None]:
        groups: defaultdict[UUID, list[tuple[Ticket, Amounts | None]]] = defaultdict(list)
        for ticket, used in ended:
            if ticket.degraded:
                self._local.release(ticket.request, used, ticket.second)
            elif ticket.request.rates:
                groups[ticket.request.organization_id].append((ticket, used))
        if groups:
            await self._run([_release_call(group) for group in groups.values()])
        return [None] * len(ended)

    async def _run(self, calls: list[tuple[str, list[str], list[Any]]]) -> list[Any]:
        """Run scripts in one round trip; None for each that Valkey did not answer."""
        if time.monotonic() < self._down_until:
            return [None] * len(calls)
        try:
            answers = await within(self._timeout_seconds, self._pipeline(calls))
            if any(isinstance(answer, NoScriptError) for answer in answers):
                self._shas.clear()
                answers = await within(self._timeout_seconds, self._pipeline(calls))
        except StoreDown as error:
            self._is_down(error.__cause__ or error)
            return [None] * len(calls)
        errors = [answer for answer in answers if isinstance(answer, Exception)]
        if errors:
            self._is_down(errors[0])
        else:
            metrics.dependency_degraded("valkey").set(0)
        return [None if isinstance(answer, Exception) else answer for answer in answers]

    async def _pipeline(self, calls: list[tuple[str, list[str], list[Any]]]) -> list[Any]:
        for script in {script for script, _, _ in calls} - self._shas.keys():
            self._shas[script] = await self._valkey.script_load(script)
        async with self._valkey.pipeline(transaction=False) as pipeline:
            for script, keys, arguments in calls:
                pipeline.execute_command("EVALSHA", self._shas[script], len(keys), *keys, *arguments)
            answers: list[Any] = await pipeline.execute(raise_on_error=False)
            return answers

    def _is_down(self, error: BaseException) -> None:
        self._down_until = time.monotonic() + RETRY_SECONDS
        metrics.dependency_degraded("valkey").set(1)
        log.warning("valkey_degraded", reason=type(error).__name__)


def _release_call(group: list[tuple[Ticket, Amounts | None]]) -> tuple[str, list[str], list[Any]]:
    scopes: dict[Rate, int] = {}
    rows = []
    for ticket, used in group:
        numbers = [scopes.setdefault(rate, len(scopes) + 1) for rate in ticket.request.rates]
        rows.append([ticket.request.lease_id, ticket.second, _differences(ticket.request.amounts, used), numbers])
    organization = group[0][0].request.organization_id
    keys = [key for rate in scopes for key in (_rate_key(organization, rate), _lease_key(organization, rate))]
    return RELEASE, keys, [orjson.dumps(rows)]


def _differences(reserved: Amounts, used: Amounts | None) -> list[int]:
    if used is None:
        return [-amount for amount in reserved.as_row()]
    return [after - before for after, before in zip(used.as_row(), reserved.as_row(), strict=True)]


def _limits(rate: Rate) -> tuple[int | None, ...]:
    return rate.rpm, rate.tpm, rate.input_tpm, rate.output_tpm, rate.concurrency


def _rate_key(organization: UUID, rate: Rate) -> str:
    return f"{{{organization}}}:rate:{rate.scope}:{rate.scope_id}"


def _lease_key(organization: UUID, rate: Rate) -> str:
    return f"{{{organization}}}:running:{rate.scope}:{rate.scope_id}"


def _decide(
    request: AdmissionRequest, second: int, fence: int, verdict: Sequence[int], *, degraded: bool
) -> Ticket | Exception:
    if verdict[0] == 1:
        return Ticket(request, second, fence, Headroom(*verdict[1:]), degraded)
    _, place, kind, limit, left, wait_ms = verdict
    return _refusal(request, request.rates[place - 1], kind, limit, left, wait_ms)


def _refusal(request: AdmissionRequest, rate: Rate, kind: int, limit: int, left: int, wait_ms: int) -> PlatformError:
    seconds = wait_ms / 1000
    if kind not in _KINDS:
        return ConcurrencyLimited(
            f"The {rate.scope} may run {limit} requests at once, and all of them are running.", retry_after=seconds
        )
    amount, whole = request.amounts.as_row()[kind - 1], _limits(rate)[kind - 1]
    name = _KINDS[kind]
    if whole and amount > whole:
        return InvalidRequest(
            f"This request needs about {amount} {name}; the {rate.scope} may use {whole} per minute, so it can never "
            "run. Send less, or lower max_tokens."
        )
    return RateLimited(
        f"The {rate.scope}'s limit of {limit} {name} per minute is reached: {max(0, left)} left, {amount} needed. "
        f"Try again in {seconds:.1f} s.",
        retry_after=seconds,
    )


def _ignore_outcome(future: asyncio.Future[None]) -> None:
    """A release that fails is no error of anybody's: leases run out, and buckets too."""
    future.add_done_callback(lambda done: done.cancelled() or done.exception())
