"""GET /v1/receipts: the organization's own, signed, and nobody else's."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from foundation import ids
from foundation.ids import uuid7
from tests.foundation.test_signing import verify
from tests.inference.gateway.door import Answer, Door

FAST = "ttft=1 gap=0"


async def get(door: Door, path: str, **headers: str) -> Answer:
    return await door.ask(b"", method="GET", path=f"/v1/receipts/{path}", headers=headers)


async def test_a_request_is_told_as_it_was_charged(customer, usage):
    acme = await customer()
    asked = await acme.stream(f"hi [[sim tokens=5 {FAST}]]")
    request_id = asked.headers["x-request-id"]
    answer = await get(acme, request_id)
    (record,) = await usage()
    receipt = answer.json["receipt"]
    assert (answer.status, answer.json["status"], answer.json["id"]) == (200, "final", request_id)
    assert (receipt["id"], receipt["charge_nano_usd"]) == (request_id, record["cost_nusd"])
    assert (receipt["model"], receipt["pool"], receipt["attempts"], receipt["cache"]) == ("sim", "simulator", 1, "none")
    assert receipt["tokens"]["output"] == 5
    assert receipt["timing"]["first_token_ms"] == record["ttft_ms"]
    assert answer.headers["cache-control"] == "no-store"


async def test_it_can_be_checked_with_the_published_keys(customer):
    acme = await customer()
    asked = await acme.chat(f"hi [[sim tokens=5 {FAST}]]")
    answer = await get(acme, asked.headers["x-request-id"])
    keys = await get(acme, "keys", authorization="")
    assert keys.status == 200
    receipt = verify(answer.json["jws"], keys.json)
    assert receipt == answer.json["receipt"]
    assert str(receipt["charge_nano_usd"]) == asked.headers["x-turnpike-cost-nano-usd"]


async def test_a_second_replica_counts_as_an_attempt(customer, fresh_database):
    one = "(SELECT min(id::text)::uuid FROM inference_replica)"
    fresh_database.sql(f"UPDATE inference_replica SET url = 'http://127.0.0.1:1' WHERE id = {one}")
    acme = await customer()
    await acme.gateway._news._reload()
    asked = [await acme.chat(f"hi [[sim {FAST} tokens=2]]") for _ in range(2)]
    told = [(await get(acme, answer.headers["x-request-id"])).json["receipt"] for answer in asked]
    assert sorted(receipt["attempts"] for receipt in told) == [1, 2]
    assert all(receipt["charge_nano_usd"] for receipt in told)


async def test_a_request_that_runs_says_so(customer):
    acme = await customer()
    gone, started = asyncio.Event(), asyncio.get_running_loop().create_future()

    def look(answer: Answer) -> bool:
        if answer.body and not started.done():
            started.set_result(answer.headers["x-request-id"])
        return False

    running = asyncio.create_task(acme.stream("hi [[sim tokens=500 ttft=1 gap=100]]", gone=gone, leave=look))
    request_id = await started
    answer = await get(acme, request_id)
    expected = {"object": "receipt", "id": request_id, "status": "in_progress", "receipt": None, "jws": None}
    assert answer.json == expected
    gone.set()
    await running
    assert (await get(acme, request_id)).json["receipt"]["outcome"] == "client_left"


async def test_strangers_and_the_curious_get_the_same_404(customer):
    acme, globex = await customer(), await customer(Decimal(1), "Globex")
    asked = await acme.chat(f"hi [[sim tokens=1 {FAST}]]")
    theirs = await get(globex, asked.headers["x-request-id"])
    unknown = [ids.public("req", uuid7()), "nonsense", "req_", "a/b", "org_01h455vb4pex5vsknk084sn02q"]
    for path in unknown:
        answer = await get(globex, path)
        assert (answer.status, answer.body) == (404, theirs.body), path
    assert theirs.status == 404
    assert theirs.error["code"] == "not_found"


@pytest.mark.parametrize("authorization", ["", "Bearer nonsense"])
async def test_a_receipt_needs_a_key(customer, authorization):
    acme = await customer()
    answer = await get(acme, ids.public("req", uuid7()), authorization=authorization)
    assert (answer.status, answer.error["code"]) == (401, "invalid_api_key")


async def test_receipts_are_only_read(customer):
    acme = await customer()
    for path in ("keys", ids.public("req", uuid7())):
        answer = await acme.ask(b"{}", path=f"/v1/receipts/{path}")
        assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
