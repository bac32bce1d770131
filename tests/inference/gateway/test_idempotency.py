"""Idempotency-Key: one engine call and one charge, however often, from wherever, and whatever happened in between."""

import asyncio
from decimal import Decimal

import pytest

from inference.gateway.app import build_gateway
from tests.inference.gateway.door import Door

FAST = "hi [[sim tokens=5 ttft=1 gap=0]]"
SLOW = "hi [[sim tokens=5 ttft=300 gap=0]]"


def keyed(key: str = "order-1") -> dict[str, dict[str, str]]:
    return {"headers": {"idempotency-key": key}}


async def test_a_repeated_request_is_served_and_charged_once(customer, usage):
    acme = await customer()
    first, second = await acme.chat(FAST, **keyed()), await acme.chat(FAST, **keyed())
    (record,) = await usage()
    assert (first.status, second.status) == (200, 200)
    assert second.headers["idempotent-replayed"] == "true"
    assert second.headers["x-turnpike-original-request-id"] == first.headers["x-request-id"]
    assert second.headers["x-turnpike-cost-nano-usd"] == str(record["cost_nusd"])
    assert (second.json["choices"], second.json["usage"]["completion_tokens"]) == ([], 5)


async def test_many_at_once_from_two_processes_make_one_call(customer, usage, options):
    acme = await customer()
    other = build_gateway(options)
    await other.startup()
    doors = [acme, Door(other, acme.key)]
    answers = await asyncio.gather(*(doors[n % 2].chat(SLOW, **keyed()) for n in range(10)))
    await other.shutdown()
    assert {answer.status for answer in answers} == {200}
    assert sum("idempotent-replayed" in answer.headers for answer in answers) == 9
    assert len(await usage()) == 1


async def test_another_body_under_the_same_key_is_a_conflict(customer, usage):
    acme = await customer()
    await acme.chat(FAST, **keyed())
    answer = await acme.chat(FAST, temperature=1, **keyed())
    assert (answer.status, answer.error["code"]) == (409, "idempotency_key_reused")
    assert answer.headers["x-should-retry"] == "false"
    assert len(await usage()) == 1


async def test_the_same_for_another_customer_is_a_conflict(customer, usage):
    acme = await customer()
    for name, status in (("ada", 200), ("bob", 409), ("ada", 200), ("", 409)):
        answer = await acme.chat(FAST, headers={"idempotency-key": "order-1", "x-turnpike-customer": name})
        assert answer.status == status
    assert [record["customer"] for record in await usage()] == ["ada"]


async def test_a_stream_is_repeated_as_a_stream(customer, usage):
    acme = await customer()
    await acme.stream(FAST, **keyed())
    again = await acme.stream(FAST, **keyed())
    assert again.complete
    assert again.headers["content-type"].startswith("text/event-stream")
    assert len(await usage()) == 1


@pytest.mark.parametrize("directive", ["status=500", "die_after=2"])
async def test_what_failed_and_cost_nothing_may_be_tried_again(customer, usage, directive):
    acme = await customer()
    text = f"hi [[sim tokens=5 ttft=1 gap=0 {directive}]]"
    for _ in range(2):
        answer = await acme.stream(text, **keyed())
        assert "idempotent-replayed" not in answer.headers
    assert [record["cost_nusd"] for record in await usage()] == [0, 0]


async def test_what_was_refused_may_be_tried_again_with_the_same_key(customer, usage, fresh_database):
    acme = await customer(credit=Decimal(0))
    assert (await acme.chat(FAST, **keyed())).status == 402
    assert fresh_database.sql("SELECT count(*) FROM inference_idempotencyclaim") == [(0,)]


async def test_the_keys_of_organizations_are_their_own(customer, usage):
    acme, globex = await customer(), await customer(name="Globex")
    for door in (acme, globex):
        assert "idempotent-replayed" not in (await door.chat(FAST, **keyed())).headers
    assert len(await usage()) == 2


@pytest.mark.parametrize("key", ["", "x" * 256, "ümlaut"])
async def test_a_key_that_is_no_key_is_refused(customer, key):
    acme = await customer()
    scope_headers = [(b"idempotency-key", key.encode())]
    original = acme._scope
    acme._scope = lambda *facts: (scope := original(*facts)) | {"headers": scope["headers"] + scope_headers}
    assert (await acme.chat(FAST)).status == 400


async def test_a_claim_of_a_process_that_died_is_taken_over(customer, usage, fresh_database):
    acme = await customer()
    await acme.chat(FAST, **keyed())
    fresh_database.sql("UPDATE billing_usagerecord SET outcome = 'expired', cost_nusd = 0, transaction_id = NULL")
    answer = await acme.chat(FAST, **keyed())
    assert "idempotent-replayed" not in answer.headers


async def test_nothing_of_the_body_is_kept(customer, fresh_database):
    acme = await customer()
    await acme.chat("a very secret plan [[sim tokens=1 ttft=1 gap=0]]", **keyed())
    (row,) = fresh_database.sql("SELECT c::text FROM inference_idempotencyclaim c")
    assert "secret" not in row[0]
