"""A receipt says what the records say, and its lines add up to its charge."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import orjson
from hypothesis import given
from hypothesis import strategies as st

from billing import prices, receipts, rerating
from billing.rates import Rates
from foundation import clock, ids
from foundation.ids import uuid7
from tenants import isolation
from tests.billing import cast
from tests.threads import off_loop

founded = off_loop(cast.organization_with)
HOUR = timedelta(hours=1)
NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
COUNTS = st.integers(0, 2**31)
RATES = st.decimals(0, 1000, places=9)


def facts(rates: dict[str, str], **changes: object) -> dict[str, object]:
    """What the query brings of a request that completed."""
    ids_ = {name: str(uuid7()) for name in ("request_id", "organization_id", "project_id", "key_id", "transaction_id")}
    words = {"customer": "", "endpoint": "chat.completions", "model": "sim", "pool": "p", "usage_source": "final"}
    flags = {"streamed": True, "late": False, "outcome": "complete", "cache": "none", "status": 200, "attempts": 1}
    times = {"started_at": NOON.isoformat(), "at": NOON.isoformat(), "ttft_ms": 5, "latency_ms": 2005}
    counts = {"prompt_tokens": 10, "cached_tokens": 4, "completion_tokens": 3, "price_version": 7, "hold_nusd": 9}
    other = {"unit": "", "quantity": 0}
    record = {**ids_, **words, **flags, **times, **counts, **other, "cost_nusd": 0, **changes}
    return {"held": False, "record": record, "corrections": [], "prices": {"7": rates}}


def receipt(found: dict[str, object]) -> dict:
    made = receipts.read(orjson.dumps(found).decode(), at=NOON).receipt
    assert made is not None
    return made


def half_up(lines: list[dict[str, int]]) -> int:
    total = sum(line["units"] * line["nano_usd_per_million"] for line in lines)
    return (2 * total + 1_000_000) // 2_000_000


@given(prompt=COUNTS, cached=COUNTS, completion=COUNTS, rates=st.tuples(RATES, RATES | st.none(), RATES))
def test_the_lines_add_up_to_the_charge(prompt, cached, completion, rates):
    kinds = zip(("input", "cached_input", "output"), rates, strict=True)
    named = {kind: f"{rate:f}" for kind, rate in kinds if rate is not None}
    used = {"prompt_tokens": prompt, "cached_tokens": cached, "completion_tokens": completion}
    per_million = receipts._per_million(named)
    cost = Rates(7, NOON, per_million).cost(**used)
    made = receipt(facts(named, cost_nusd=cost, **used))
    assert half_up(made["lines"]) == made["charge_nano_usd"] == cost


def test_what_is_not_counted_in_tokens_has_a_line_too():
    made = receipt(facts({"seconds": "100", "requests": "1"}, unit="seconds", quantity=90, cost_nusd=9_001_000))
    assert made["quantity"] == {"unit": "seconds", "units": 90}
    assert [(line["kind"], line["units"]) for line in made["lines"]] == [("requests", 1), ("seconds", 90)]
    assert half_up(made["lines"]) == 9_001_000


def test_nothing_charged_has_no_lines():
    made = receipt(facts({"input": "1"}, outcome="upstream_error", transaction_id=None))
    assert (made["lines"], made["charge_nano_usd"], made["transaction"]) == ([], 0, None)
    assert made["tokens"] == {"input": 10, "cached_input": 4, "output": 3}


def test_times_are_told_as_instants_and_as_milliseconds():
    timing = receipt(facts({}))["timing"]
    assert timing["started_at"] == "2026-11-27T12:00:00.000Z"
    assert timing["first_token_at"] == "2026-11-27T12:00:00.005Z"
    assert timing["ended_at"] == "2026-11-27T12:00:02.005Z"


def test_what_never_happened_is_null():
    expired = receipt(facts({}, ttft_ms=None, latency_ms=None, pool="", endpoint="", price_version=None, status=0))
    assert [expired[name] for name in ("pool", "endpoint", "price", "http_status")] == [None] * 4
    assert (expired["timing"]["first_token_at"], expired["timing"]["ended_at"]) == (None, None)


def test_a_receipt_is_integers_words_and_nothing_between():
    def walk(value: object) -> bool:
        if isinstance(value, dict | list):
            return all(map(walk, value.values() if isinstance(value, dict) else value))
        return value is None or isinstance(value, str | int)

    assert walk(receipt(facts({"input": "0.1", "output": "0.000000001"}, cost_nusd=1)))


@off_loop
def publish(rate: str, starts: datetime) -> None:
    with isolation.everything():
        rates = {"input": Decimal(rate), "output": Decimal(0)}
        prices.publish(model="sim", components=rates, actor=cast.SYSTEM, effective_from=starts)


async def find(money: cast.Money, organization: UUID, request: UUID) -> receipts.Finding:
    rows = await money.postgres.fetch(receipts.FIND, receipts.parameters(organization, request))
    return receipts.read(rows[0][0], at=clock.now())


async def told(money: cast.Money, organization: UUID, request: UUID) -> dict:
    made = (await find(money, organization, request)).receipt
    assert made is not None
    return made


async def test_from_hold_to_correction(fresh_database):
    acme, globex = await founded(10_000_000), await founded(0, "Globex")
    await publish("1", clock.now() - 2 * HOUR)
    async with cast.money(fresh_database.url) as money:
        hold = await money.holds.take(cast.request(acme, 2_000_000))
        assert await find(money, acme, hold.request_id) == receipts.Finding(None, in_progress=True)
        assert await find(money, globex, hold.request_id) == receipts.Finding(None, in_progress=False)

        bill = cast.bill(acme, hold, 1_000_000, prompt_tokens=1000, completion_tokens=0, attempts=2, cache="miss")
        settled = await money.settlements.settle(bill, within_seconds=5)
        made = await told(money, acme, hold.request_id)
        assert (made["charge_nano_usd"], made["hold_nano_usd"], made["attempts"]) == (1_000_000, 2_000_000, 2)
        assert made["cache"] == "miss"
        assert ids.parse("txn", made["transaction"]) == settled.transaction_id
        assert made["price"] == {"version": 1, "nano_usd_per_million": {"input": 1_000_000_000, "output": 0}}

        await publish("0.4", clock.now() - HOUR)
        await off_loop(rerating.confirm)(model="sim", since=clock.now() - HOUR, actor=cast.SYSTEM)
        made = await told(money, acme, hold.request_id)
        (correction,) = made["corrections"]
        assert (correction["price"]["version"], correction["difference_nano_usd"]) == (2, -600_000)
        assert correction["price"]["nano_usd_per_million"]["input"] == 400_000_000
        assert (made["charge_nano_usd"], made["total_nano_usd"]) == (1_000_000, 400_000)
        assert (await find(money, globex, hold.request_id)).receipt is None
