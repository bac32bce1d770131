"""The loop that renews leases survives whatever one of its rounds meets."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID, uuid4

import psycopg
import pytest

from billing.holds import Holds
from foundation.stores import StoreDown
from inference.gateway.admission import Admission
from inference.gateway.exchange import Exchange
from inference.gateway.keeping import Keeper


class Failing:
    """Fails once, then notes whose leases it renewed."""

    def __init__(self, failure: Exception) -> None:
        self._failures = [failure]
        self.renewed: asyncio.Future[list[UUID]] = asyncio.get_running_loop().create_future()

    async def extend(self, request_ids: Sequence[UUID]) -> None:
        if self._failures:
            raise self._failures.pop()
        if not self.renewed.done():
            self.renewed.set_result(list(request_ids))


class Running:
    ticket = None

    def __init__(self) -> None:
        self.request_id = uuid4()

    def check(self, now: float) -> None:
        pass


class Idle:
    async def extend(self, tickets: Sequence[Any]) -> None:
        pass


# A database that was failed over to a standby answers, and says no.
@pytest.mark.parametrize("failure", [StoreDown("postgres"), psycopg.errors.ReadOnlySqlTransaction()])
async def test_a_failed_renewal_is_not_the_last_one(failure):
    holds = Failing(failure)
    keeper = Keeper(cast(Holds, holds), cast(Admission, Idle()), renew_seconds=0.01)
    exchange = cast(Exchange, Running())
    keeper.start()
    try:
        with keeper.keeping(exchange):
            assert await asyncio.wait_for(holds.renewed, 2) == [exchange.request_id]
    finally:
        await keeper.stop()
