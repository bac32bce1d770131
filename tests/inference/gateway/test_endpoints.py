"""The story of a request: delivered, counted, charged once, and in this order."""

import asyncio
from decimal import Decimal

import pytest
import redis
from django.conf import settings

from tests.inference.gateway.door import Answer
from tests.inference.simulator.client import eventually
from tests.threads import off_loop

FAST = "ttft=1 gap=0"


async def test_a_plain_answer_costs_exactly_the_price(customer, usage):
    acme = await customer()
    answer = await acme.chat(f"hi [[sim tokens=5 {FAST}]]")
    (record,) = await usage()
    tokens = answer.json["usage"]
    cost = (tokens["prompt_tokens"] * 500 + 5 * 1500) if not record["cached_tokens"] else record["cost_nusd"]
    assert (answer.status, record["outcome"], record["usage_source"]) == (200, "complete", "final")
    assert answer.headers["x-turnpike-cost-nano-usd"] == str(record["cost_nusd"]) == str(cost)
    assert (record["completion_tokens"], record["streamed"], record["endpoint"]) == (5, False, "chat.completions")
    assert record["transaction_id"]
    assert answer.headers["x-request-id"].startswith("req_")


async def test_the_same_question_twice_is_made_and_charged_twice(customer, usage, engines):
    acme = await customer()
    answers = [await acme.chat(f"hi [[sim tokens=5 {FAST}]]", temperature=0, seed=1) for _ in range(2)]
    made = [line["request_id"] for engine in engines for line in engine.witness()["requests"]]
    assert {answer.headers["x-request-id"] for answer in answers} <= set(made)
    assert [record["cost_nusd"] > 0 for record in await usage()] == [True, True]


async def test_a_stream_is_charged_before_its_end_marker_leaves(customer, usage, fresh_database):
    acme = await customer()
    charged_when = {}

    def look(answer: Answer) -> bool:
        charged_when[answer.complete] = fresh_database.sql("SELECT count(*) FROM billing_usagerecord")[0][0]
        return False

    answer = await acme.stream(f"hi [[sim tokens=5 {FAST}]]", leave=look)
    assert answer.complete
    assert charged_when == {False: 0, True: 1}
    (record,) = await usage()
    assert (record["outcome"], record["completion_tokens"], record["usage_source"]) == ("complete", 5, "final")
    assert record["ttft_ms"] is not None


async def test_usage_comes_only_to_those_who_asked(customer):
    acme = await customer()
    without = await acme.stream(f"hi [[sim tokens=3 {FAST}]]")
    asked = await acme.stream(f"hi [[sim tokens=3 {FAST}]]", stream_options={"include_usage": True})
    assert b"usage" not in without.body
    assert b'"completion_tokens":3' in asked.events[-2]


REFUSALS = [
    ("status=500", 502, "upstream_error"),
    ("status=503", 503, "overloaded"),
    ("status=429", 503, "overloaded"),
    ("status=400", 400, "invalid_request"),
    ("status=401", 502, "upstream_error"),
    ("bad_gzip", 502, "upstream_error"),
]


@pytest.mark.parametrize(("directive", "status", "code"), REFUSALS, ids=[line[0] for line in REFUSALS])
async def test_what_an_engine_refuses_costs_nothing_and_says_nothing_of_it(customer, usage, directive, status, code):
    acme = await customer()
    answer = await acme.chat(f"hi [[sim {FAST} tokens=3 {directive}]]")
    assert (answer.status, answer.error["code"]) == (status, code)
    assert b"sim" not in answer.body
    (record,) = await usage()
    assert (record["outcome"], record["cost_nusd"], record["status"]) == ("upstream_error", 0, status)


async def test_a_client_that_leaves_pays_for_what_was_made_and_stops_the_engine(customer, usage, engines):
    acme = await customer()
    answer = await acme.stream("hi [[sim ttft=1 gap=50 tokens=200]]", leave=lambda a: a.body.count(b"content") >= 4)
    (record,) = await usage()
    assert (record["outcome"], record["usage_source"], record["status"]) == ("client_left", "continuous", 200)
    assert 1 <= record["completion_tokens"] < 50
    assert record["cost_nusd"] > 0
    engine = next(engine for engine in engines if engine.url == record["replica"])
    seen = await asyncio.to_thread(engine.record, answer.headers["x-request-id"])
    assert seen["ended"] == "client_gone"
    assert seen["completion_tokens"] - record["completion_tokens"] <= 20


async def test_a_client_that_leaves_before_any_output_pays_nothing(customer, usage):
    acme = await customer()
    for stream in (True, False):
        gone = asyncio.Event()
        asking = asyncio.ensure_future(acme.chat("hi [[sim ttft=60000 tokens=5]]", stream=stream, gone=gone))
        await asyncio.sleep(0.2)
        gone.set()
        await asking
    assert {(r["outcome"], r["cost_nusd"], r["status"]) for r in await usage()} == {("no_output", 0, 499)}


async def test_a_dead_replica_costs_one_more_try_and_nothing_else(customer, usage, fresh_database):
    one = "(SELECT min(id::text)::uuid FROM inference_replica)"
    fresh_database.sql(f"UPDATE inference_replica SET url = 'http://127.0.0.1:1' WHERE id = {one}")
    acme = await customer()
    await acme.gateway._news._reload()
    answers = [await acme.chat(f"hi [[sim {FAST} tokens=2]]") for _ in range(6)]
    assert {answer.status for answer in answers} == {200}
    assert len(await usage()) == 6


async def test_without_any_engine_the_money_is_free_again(customer, usage, fresh_database):
    fresh_database.sql("UPDATE inference_replica SET state = 'unhealthy'")
    acme = await customer()
    await acme.gateway._news._reload()
    answer = await acme.chat("hi")
    assert (answer.status, answer.error["code"]) == (503, "overloaded")
    assert fresh_database.sql("SELECT sum(held_nusd) FROM billing_purse") == [(0,)]


async def test_many_at_once_on_a_wallet_for_ten_never_hold_more(customer, fresh_database, usage):
    acme = await customer(credit=Decimal("0.0165"))  # Ten worst cases of about 1.6 thousandths of a dollar.
    answers = await asyncio.gather(*(acme.chat("hi [[sim ttft=200 tokens=1]]", max_tokens=1000) for _ in range(60)))
    statuses = [answer.status for answer in answers]
    assert 1 <= statuses.count(200) <= 10
    assert statuses.count(200) + statuses.count(402) == 60
    await usage()
    assert fresh_database.sql("SELECT posted_nusd >= 0, held_nusd FROM billing_purse") == [(True, 0)]


async def test_a_drained_stream_ends_in_band_and_costs_nothing(customer, usage):
    acme = await customer()
    asking = asyncio.ensure_future(acme.stream("hi [[sim ttft=1 gap=50 tokens=500]]"))
    await asyncio.sleep(0.3)
    await acme.gateway.drain(0.1)
    answer = await asking
    assert b'"code":"draining"' in answer.events[-1]
    assert not answer.complete
    (record,) = await usage()
    assert (record["outcome"], record["cost_nusd"]) == ("drained", 0)


async def test_a_drain_waits_for_what_ends_in_time(customer):
    acme = await customer()
    asking = asyncio.ensure_future(acme.stream("hi [[sim ttft=1 gap=20 tokens=20]]"))
    await asyncio.sleep(0.1)
    await acme.gateway.drain(10)
    assert (await asking).complete


async def test_a_client_that_does_not_read_is_cut(customer, usage, monkeypatch):
    acme = await customer()
    monkeypatch.setattr(acme.gateway.services.relay, "_client_seconds", 0.2)
    await acme.stream("hi [[sim ttft=1 gap=0 tokens=5]]", pause=1.0)
    (record,) = await usage()
    assert record["outcome"] in ("client_left", "no_output")


async def test_a_stream_whose_engine_thinks_is_kept_alive(customer, usage, monkeypatch):
    monkeypatch.setattr("inference.gateway.exchange.KEEP_ALIVE_SECONDS", 0.1)
    acme = await customer()
    answer = await acme.stream("hi [[sim ttft=900 gap=0 tokens=5]]")
    assert answer.body.startswith(b": keep-alive\n\n")
    assert (answer.status, answer.complete) == (200, True)
    (record,) = await usage()
    assert (record["outcome"], record["completion_tokens"]) == ("complete", 5)


async def test_what_goes_wrong_after_a_sign_of_life_is_told_in_band(customer, usage, monkeypatch):
    monkeypatch.setattr("inference.gateway.exchange.KEEP_ALIVE_SECONDS", 0.1)
    acme = await customer()
    answer = await acme.stream("hi [[sim ttft=900 gap=0 tokens=5 die_after=0]]")
    assert (answer.status, answer.complete) == (200, False)
    assert b'"code":"upstream_error"' in answer.events[-1]
    (record,) = await usage()
    assert (record["outcome"], record["cost_nusd"]) == ("upstream_error", 0)


async def test_the_catalogue_is_read_again_when_somebody_says_so(customer, fresh_database):
    acme = await customer()
    fresh_database.sql("UPDATE inference_model SET enabled = false")
    await off_loop(lambda: redis.Redis.from_url(settings.REDIS_URL).publish("turnpike:catalogue", "x"))()
    await off_loop(eventually)(lambda: not acme.gateway.services.catalogue.models)
    assert (await acme.chat("hi")).error["code"] == "model_not_found"


async def test_a_request_for_which_the_limits_have_no_time_gives_its_hold_back(customer, usage, fresh_database):
    acme = await customer(credit=Decimal("0.02"))
    await acme.gateway._admission._admitting.close()
    answers = [await acme.chat("hi", max_tokens=10_000) for _ in range(3)]
    assert [(answer.status, answer.error["code"]) for answer in answers] == [(503, "overloaded")] * 3
    await acme.gateway._holds._taking.drain()
    assert fresh_database.sql("SELECT count(*) FROM billing_hold") == [(0,)]
    assert await usage() == []
