"""Ten thousand requests that end in every way there is leave no place taken and no token reserved that was not used."""

import random
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from redis.asyncio import Redis

from foundation.valkey import Valkey
from inference.gateway.admission import Admission, Amounts, Ticket
from tests.inference.gateway.test_admission import asking, outcomes, rate

pytestmark = pytest.mark.usefixtures("valkey")
ROUNDS, AT_ONCE, PLACES = 125, 100, 80


async def end(admission: Admission, ticket: Ticket, dice: random.Random) -> int:
    """End a request somehow; return how many tokens it has used."""
    way = dice.choice(["ends", "ends", "undone", "extended", "extended too late"])
    if way == "undone":
        admission.undo(ticket)
        return 0
    used = dice.randint(0, 30)
    if way == "extended":
        await admission.extend([ticket])
    admission.release(ticket, Amounts(used, 0))
    if way == "extended too late":
        # Its lease is gone, and nobody brings it back.
        await admission.drain()
        await admission.extend([ticket])
    return used


async def test_ten_thousand_mixed_endings_leave_nothing_behind():
    valkey, dice, acme = Valkey(settings.REDIS_URL), random.Random(7), uuid4()
    admission = Admission(valkey, lease_seconds=15, processes=1, timeout_seconds=5)
    limit = rate(rpm=10**6, tpm=10**7, concurrency=PLACES)
    used = 0
    for _ in range(ROUNDS):
        results = await outcomes(admission, [asking(acme, limit) for _ in range(AT_ONCE)])
        tickets = [result for result in results if isinstance(result, Ticket)]
        assert len(tickets) == PLACES, "a place is still taken, or one too many was given"
        used += sum([await end(admission, ticket, dice) for ticket in tickets])
        await admission.drain()
    assert await left_behind(str(acme)) == (0, used)
    await valkey.aclose()


async def left_behind(tag: str) -> tuple[int, int]:
    """Count the places that are taken, and the tokens that are counted."""
    async with Redis.from_url(settings.REDIS_URL) as client:
        (rates,) = [key async for key in client.scan_iter(f"{{{tag}}}:rate:*")]
        leases = [key async for key in client.scan_iter(f"{{{tag}}}:running:*")]
        amounts: dict[Any, Any] = await client.hgetall(rates)
        tokens = sum(int(amount) for kind, amount in amounts.items() if kind.startswith(b"t"))
        return sum([await client.zcard(key) for key in leases]), tokens
