"""Charges a request exactly once, durably, before its end marker leaves.

One transaction for all requests that end meanwhile (`migrations/sql/0003_settle.sql`). A request id is the
idempotency key: repeating a settlement whose answer was lost is always safe, and is what happens here.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import orjson
import psycopg

from foundation import logs, metrics
from foundation.batching import Batcher
from foundation.errors import Overloaded
from foundation.stores import Postgres, Row, StoreDown

SETTLE = "SELECT * FROM turnpike_settle(%s::jsonb)"
FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 1.0
SETTLED, LATE = "settled", "late"

log = logs.get(__name__)


class Bill(NamedTuple):
    """What one request consumed and costs. Field names are those of the settlement function's batch."""

    request: UUID
    organization: UUID
    project: UUID
    key: UUID
    customer: str
    model: str
    pool: str
    replica: str
    endpoint: str
    streamed: bool
    outcome: str
    source: str
    status: int
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    unit: str
    quantity: int
    price_version: int | None
    cost: int
    purses: tuple[UUID, ...]
    ttft_ms: int | None
    latency_ms: int
    started_at: datetime
    attempts: int = 0
    cache: str = "none"
    # Of a request that has its place in a slice: which, how much was held of it there, and what goes with the charge.
    slice: UUID | None = None
    held: int = 0
    release: int = 0


class Receipt(NamedTuple):
    """The verdict on a bill: `settled`, `late` (its hold had expired) or `duplicate` (was charged before)."""

    request_id: UUID
    verdict: str
    overage_nusd: int
    transaction_id: UUID | None


class Settlements:
    """Settles bills, many in one transaction."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres
        self._latest = math.inf
        self._batcher = Batcher(self._settle_all, name="settlements", max_batch=256)

    async def settle(self, bill: Bill, *, within_seconds: float) -> Receipt:
        """Charge `bill` once and return when it is durable.

        While Postgres is down this tries again until `within_seconds` have passed, then raises `Overloaded`.
        """
        deadline = asyncio.get_running_loop().time() + within_seconds
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                receipt = await self._batcher.submit(bill)
            except (Overloaded, psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected):
                if asyncio.get_running_loop().time() + pause > min(deadline, self._latest):
                    raise
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            else:
                _tell(receipt)
                return receipt

    def hurry(self, seconds: float) -> None:
        """Let no settlement be tried again after so many seconds from now: the process is about to end."""
        self._latest = asyncio.get_running_loop().time() + seconds

    async def _settle_all(self, bills: list[Bill]) -> Sequence[Receipt | Exception]:
        try:
            return await self._settle_together(bills)
        except StoreDown:
            raise
        except psycopg.Error as error:
            if len(bills) == 1:
                raise
            log.warning("settlement_batch_refused", reason=type(error).__name__, count=len(bills))
            return [await self._settle_alone(bill) for bill in bills]

    async def _settle_alone(self, bill: Bill) -> Receipt | Exception:
        """One bad bill must not spoil those that arrived with it."""
        try:
            return (await self._settle_together([bill]))[0]
        except (psycopg.Error, StoreDown) as error:
            return error

    async def _settle_together(self, bills: list[Bill]) -> list[Receipt]:
        batch = orjson.dumps([bill._asdict() for bill in bills]).decode()
        return [_receipt(row) for row in await self._postgres.fetch(SETTLE, (batch,))]


def _receipt(row: Row) -> Receipt:
    request_id, verdict, overage, transaction = row
    return Receipt(request_id, verdict, overage, transaction)


def _tell(receipt: Receipt) -> None:
    """A late or an over-long settlement is charged, and somebody must look at it."""
    if receipt.verdict == LATE:
        metrics.settlements_late.inc()
        log.error("settlement_late", request=receipt.request_id.hex)
    elif receipt.overage_nusd:
        metrics.settlements_over_hold.inc()
        log.error("settlement_over_hold", request=receipt.request_id.hex, amount_nusd=receipt.overage_nusd)
