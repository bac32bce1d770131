"""The limits: never over, all or nothing, honest about the wait, with and without Valkey."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings

from foundation import clock
from foundation.errors import InvalidRequest, RateLimited
from foundation.ids import uuid7
from foundation.valkey import Valkey
from inference.gateway import local_limits
from inference.gateway.admission import Admission, AdmissionRequest, Amounts, Ask, Ticket
from inference.gateway.errors import ConcurrencyLimited, PoolBusy
from keys.effective import Rate

pytestmark = pytest.mark.usefixtures("valkey")


def rate(scope: str = "key", **limits: Any) -> Rate:
    unlimited: dict[str, Any] = dict.fromkeys(("rpm", "tpm", "input_tpm", "output_tpm", "concurrency"))
    return Rate(scope=scope, scope_id=str(uuid7()), **(unlimited | limits))


def asking(organization: UUID, *rates: Rate, tokens: int = 10) -> AdmissionRequest:
    return AdmissionRequest(organization, uuid7().hex, rates, Amounts(tokens, 0))


@pytest.fixture(params=["shared", "degraded"])
async def admission(request) -> AsyncIterator[Admission]:
    """With Valkey, and the one process that is alone without it: the same rules."""
    url = settings.REDIS_URL if request.param == "shared" else "unix:///nowhere/valkey.sock"
    client = Valkey(url)
    yield Admission(client, lease_seconds=15, processes=1, timeout_seconds=5)
    await client.aclose()


async def outcomes(admission: Admission, requests: list[AdmissionRequest]) -> list[Any]:
    futures = [admission.enqueue(request) for request in requests]
    return await asyncio.gather(*futures, return_exceptions=True)


def admitted(results: list[Any]) -> int:
    return sum(isinstance(result, Ticket) for result in results)


async def test_no_more_requests_than_the_limit_are_admitted(admission):
    acme, limit = uuid7(), rate(rpm=60)
    results = await outcomes(admission, [asking(acme, limit) for _ in range(200)])
    assert admitted(results) == 60
    refused = next(result for result in results if isinstance(result, RateLimited))
    assert refused.code == "rate_limit_exceeded"
    assert refused.retry_after is not None
    assert 59 < refused.retry_after <= 61
    assert "60 requests per minute" in refused.message


async def test_no_more_tokens_than_the_limit_are_admitted(admission):
    acme, limit = uuid7(), rate(tpm=1000)
    assert admitted(await outcomes(admission, [asking(acme, limit, tokens=99) for _ in range(50)])) == 10


async def test_no_more_run_at_once_than_the_limit(admission):
    acme, limit = uuid7(), rate(concurrency=5)
    results = await outcomes(admission, [asking(acme, limit) for _ in range(50)])
    assert admitted(results) == 5
    assert sum(isinstance(result, ConcurrencyLimited) for result in results) == 45
    for ticket in results:
        if isinstance(ticket, Ticket):
            admission.release(ticket, Amounts(1, 1))
    await admission.drain()
    assert admitted(await outcomes(admission, [asking(acme, limit) for _ in range(50)])) == 5


async def test_a_request_refused_by_one_limit_leaves_the_others_untouched(admission):
    acme, wide, narrow = uuid7(), rate("organization", rpm=100), rate(rpm=1)
    await outcomes(admission, [asking(acme, wide, narrow) for _ in range(10)])
    (ticket,) = await outcomes(admission, [asking(acme, wide)])
    assert ticket.headroom.requests_left == 98


async def test_zero_blocks(admission):
    (refused,) = await outcomes(admission, [asking(uuid7(), rate(rpm=0))])
    assert isinstance(refused, RateLimited)


async def test_what_can_never_fit_is_a_bad_request_and_no_wait(admission):
    (refused,) = await outcomes(admission, [asking(uuid7(), rate(tpm=100), tokens=101)])
    assert isinstance(refused, InvalidRequest)


async def test_reserved_tokens_become_those_that_were_used(admission):
    acme, limit = uuid7(), rate(tpm=1000)
    (ticket,) = await outcomes(admission, [asking(acme, limit, tokens=900)])
    admission.release(ticket, Amounts(50, 50))
    await admission.drain()
    (second,) = await outcomes(admission, [asking(acme, limit, tokens=900)])
    assert isinstance(second, Ticket)
    assert second.headroom.tokens_left == 0


async def test_an_admission_that_is_undone_was_never_there(admission):
    acme, limit = uuid7(), rate(rpm=1, tpm=100, concurrency=1)
    for _ in range(5):
        (ticket,) = await outcomes(admission, [asking(acme, limit)])
        assert isinstance(ticket, Ticket)
        admission.undo(ticket)
        await admission.drain()


async def test_the_tightest_limit_is_what_the_client_is_told(admission):
    (ticket,) = await outcomes(admission, [asking(uuid7(), rate(rpm=100), rate("project", rpm=5, tpm=50), tokens=10)])
    room = ticket.headroom
    assert (room.requests, room.requests_left, room.tokens, room.tokens_left) == (5, 4, 50, 40)


async def test_input_and_output_have_limits_of_their_own(admission):
    acme, limit = uuid7(), rate(output_tpm=10)
    free = AdmissionRequest(acme, "a", (limit,), Amounts(10_000, 10))
    over = AdmissionRequest(acme, "b", (limit,), Amounts(1, 1))
    results = await outcomes(admission, [free, over])
    assert isinstance(results[0], Ticket)
    assert isinstance(results[1], RateLimited)
    assert "output tokens" in results[1].message


async def test_organizations_do_not_share_limits(admission):
    limit = rate(rpm=1)
    same_name = Rate(limit.scope, limit.scope_id, 1, None, None, None, None)
    if await _is_shared(admission):
        assert admitted(await outcomes(admission, [asking(uuid7(), limit), asking(uuid7(), same_name)])) == 2


async def _is_shared(admission: Admission) -> bool:
    (ticket,) = await outcomes(admission, [asking(uuid7())])
    return not ticket.degraded


def pool(concurrency: int | None, name: str | None = None) -> Rate:
    return Rate("pool", name or uuid7().hex, None, None, None, None, concurrency)


def going_to(organization: UUID, pools: tuple[Rate, ...], *rates: Rate) -> AdmissionRequest:
    return AdmissionRequest(organization, uuid7().hex, rates, Amounts(10, 0), pools)


async def test_a_pool_takes_so_many_requests_at_once_of_all_organizations_together(admission):
    gpus = pool(5)
    results = await outcomes(admission, [going_to(uuid7(), (gpus,)) for _ in range(20)])
    assert admitted(results) == 5
    refused = next(result for result in results if not isinstance(result, Ticket))
    assert isinstance(refused, PoolBusy)
    assert (refused.status, refused.code, refused.retry_after) == (503, "overloaded", 1)
    for ticket in results:
        if isinstance(ticket, Ticket):
            admission.release(ticket, Amounts(1, 1))
    await admission.drain()
    assert admitted(await outcomes(admission, [going_to(uuid7(), (gpus,)) for _ in range(20)])) == 5


async def test_a_full_pool_leaves_the_limits_of_the_organization_untouched(admission):
    acme, limit = uuid7(), rate(rpm=3, tpm=100, concurrency=3)
    results = await outcomes(admission, [going_to(acme, (pool(0),), limit) for _ in range(10)])
    assert {type(result) for result in results[:3]} == {PoolBusy}
    await admission.drain()
    assert admitted(await outcomes(admission, [asking(acme, limit) for _ in range(10)])) == 3


async def test_a_refusal_by_a_limit_gives_the_place_in_the_pool_back(admission):
    acme, gpus = uuid7(), pool(1)
    results = await outcomes(admission, [going_to(acme, (gpus,), rate(rpm=0))])
    assert isinstance(results[0], RateLimited)
    await admission.drain()
    assert admitted(await outcomes(admission, [going_to(acme, (gpus,))])) == 1


async def test_the_next_pool_serves_when_the_first_is_full(admission):
    small, large, last = pool(1, "small"), pool(2, "large"), pool(None, "last")
    results = await outcomes(admission, [going_to(uuid7(), (small, large, last)) for _ in range(5)])
    assert [result.pool for result in results if isinstance(result, Ticket)].count("last") == 2
    assert sorted(result.pool for result in results if isinstance(result, Ticket))[:2] == ["large", "large"]
    for ticket in results:
        assert isinstance(ticket, Ticket)
        admission.undo(ticket)
    await admission.drain()


async def test_the_place_in_a_pool_is_kept_while_the_request_runs(admission):
    gpus = pool(1)
    (ticket,) = await outcomes(admission, [going_to(uuid7(), (gpus,))])
    await admission.extend([ticket])
    assert not admitted(await outcomes(admission, [going_to(uuid7(), (gpus,))]))


async def test_alone_a_process_fills_its_share_of_a_pool():
    client = Valkey("unix:///nowhere/valkey.sock")
    admission = Admission(client, lease_seconds=15, processes=4, timeout_seconds=1)
    gpus = pool(8)
    assert admitted(await outcomes(admission, [going_to(uuid7(), (gpus,)) for _ in range(20)])) == 2
    await client.aclose()


async def test_three_processes_never_overfill_a_pool():
    clients = [Valkey(settings.REDIS_URL) for _ in range(3)]
    processes = [Admission(client, lease_seconds=15, processes=3, timeout_seconds=5) for client in clients]
    gpus = pool(7)
    futures = [process.enqueue(going_to(uuid7(), (gpus,), rate(rpm=1000))) for _ in range(100) for process in processes]
    assert admitted(await asyncio.gather(*futures, return_exceptions=True)) == 7
    for client in clients:
        await client.aclose()


LIMITS = [
    # limits, tokens of a request that fits -> the name of the limit
    ({"rpm": 1}, Amounts(1, 1), "rpm"),
    ({"tpm": 3}, Amounts(1, 1), "tpm"),
    ({"input_tpm": 3}, Amounts(2, 0), "input_tpm"),
    ({"output_tpm": 3}, Amounts(0, 2), "output_tpm"),
    ({"concurrency": 1}, Amounts(1, 1), "concurrency"),
]


@pytest.mark.parametrize(("limits", "amounts", "name"), LIMITS, ids=[line[2] for line in LIMITS])
async def test_a_refusal_names_limit_scope_and_instant(admission, limits, amounts, name):
    acme = uuid7()
    limit = replace(rate("customer", **limits), label="alice")
    asked = [AdmissionRequest(acme, uuid7().hex, (limit,), amounts) for _ in range(2)]
    _, refused = await outcomes(admission, asked)
    assert refused.param == name
    assert 'The customer "alice"' in refused.message
    assert refused.retry_after > 0
    if name != "concurrency":
        instant = datetime.fromisoformat(refused.message.rsplit(" at ", 1)[1].rstrip("."))
        assert abs((instant - clock.now()).total_seconds() - refused.retry_after) < 2


@pytest.mark.parametrize("name", ["rpm", "tpm", "input_tpm", "output_tpm", "concurrency"])
async def test_a_limit_of_zero_says_that_waiting_is_no_use(admission, name):
    zero: dict[str, Any] = {name: 0}
    (refused,) = await outcomes(admission, [AdmissionRequest(uuid7(), "a", (rate(**zero),), Amounts(1, 1))])
    assert (refused.status, refused.param, refused.retry_after) == (429, name, None)
    assert "0, which blocks" in refused.message


async def test_scopes_that_are_idle_are_forgotten(monkeypatch):
    monkeypatch.setattr(local_limits, "MOST_SCOPES", 10)
    monkeypatch.setattr(local_limits, "WINDOW", 0)
    alone = local_limits.LocalLimits(processes=1, lease_seconds=0)
    for number in range(50):
        alone.admit([Ask("acme", str(number), (rate(rpm=1),), Amounts(1, 1))], now=100.0 * number)
    assert len(alone._usage) <= 11


async def test_the_fence_comes_with_every_admission():
    client = Valkey(settings.REDIS_URL)
    admission = Admission(client, lease_seconds=15, processes=1, timeout_seconds=5)
    acme = uuid7()
    await client.ask([("SET", f"{{{acme}}}:fence", 7)], seconds=5)
    (ticket,) = await outcomes(admission, [asking(acme)])
    assert ticket.fence == 7
    await client.aclose()


async def test_a_lease_that_ran_out_is_not_brought_back():
    client = Valkey(settings.REDIS_URL)
    admission = Admission(client, lease_seconds=0.2, processes=1, timeout_seconds=5)
    acme, limit = uuid7(), rate(concurrency=1)
    (ticket,) = await outcomes(admission, [asking(acme, limit)])
    await asyncio.sleep(0.1)
    await admission.extend([ticket])
    await asyncio.sleep(0.15)
    assert not admitted(await outcomes(admission, [asking(acme, limit)]))
    await asyncio.sleep(0.1)
    await admission.extend([ticket])
    assert admitted(await outcomes(admission, [asking(acme, limit)])) == 1
    await client.aclose()


async def test_scripts_that_valkey_forgot_are_loaded_again():
    client = Valkey(settings.REDIS_URL)
    admission = Admission(client, lease_seconds=15, processes=1, timeout_seconds=5)
    await outcomes(admission, [asking(uuid7())])
    await client.ask([("SCRIPT", "FLUSH")], seconds=5)
    (ticket,) = await outcomes(admission, [asking(uuid7())])
    assert not ticket.degraded
    await client.aclose()


async def test_alone_a_process_enforces_its_share():
    client = Valkey("unix:///nowhere/valkey.sock")
    admission = Admission(client, lease_seconds=15, processes=4, timeout_seconds=1)
    results = await outcomes(admission, [asking(uuid7(), rate(rpm=60)) for _ in range(1)])
    assert results[0].degraded
    limit = rate(rpm=60)
    assert admitted(await outcomes(admission, [asking(uuid7(), limit) for _ in range(60)])) == 15
    await client.aclose()
