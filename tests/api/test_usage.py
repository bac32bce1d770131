"""Usage: single requests and sums, and the wallet that they are paid from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from foundation import clock, ids
from inference import usage
from tests.api.world import error, rfc3339
from tests.inference import records

HOUR = timedelta(hours=1)


def test_a_request_is_shown_with_what_it_cost_and_without_where_it_ran(acme, by_key):
    [row] = by_key.get("usage")["data"]
    assert (row["id"], row["key"], row["project"]) == (acme.request_id, acme.key.public_id, acme.project.public_id)
    assert (row["prompt_tokens"], row["completion_tokens"], row["outcome"]) == (10, 5, "complete")
    assert (row["cost_nano_usd"], row["cost_usd"]) == (1_000, "0.000001000")
    assert row["transaction"].startswith("txn_")
    assert not {"pool", "replica", "organization", "hold_nusd"} & set(row)


def test_a_request_is_shown_with_what_was_charged_beside_tokens(acme, by_key):
    records.settle(acme.organization, unit="seconds", quantity=90)
    newest, first = by_key.get("usage")["data"]
    assert [(row["unit"], row["quantity"]) for row in (newest, first)] == [("seconds", 90), ("", 0)]


def test_requests_are_filtered(acme, by_key):
    def ids_of(query: str) -> set[str]:
        return {row["id"] for row in by_key.get(f"usage?{query}")["data"]}

    old = records.settle(acme.organization, clock.now() - 3 * HOUR, model="old", outcome="timeout", cost=0)
    old_id, before = ids.public("req", old), rfc3339(clock.now() - 2 * HOUR)
    assert ids_of("model=old") == ids_of("outcome=timeout") == ids_of(f"until={before}") == {old_id}
    assert ids_of(f"since={before}") == ids_of(f"key={acme.key.public_id}") == {acme.request_id}
    assert ids_of(f"project={ids.public('proj', records.PROJECT)}") == {old_id}
    assert ids_of(f"since={before}&model=old") == set()


def test_a_time_is_exact_to_the_millisecond_of_the_request(acme, by_key):
    at = datetime(2026, 11, 1, 12, 0, 0, 250_000, tzinfo=UTC)
    records.settle(acme.organization, at)
    just_after = rfc3339(at + timedelta(milliseconds=1))
    assert len(by_key.get(f"usage?since={rfc3339(at)}&until={just_after}")["data"]) == 1
    assert by_key.get(f"usage?since=2026-10-31T00:00:00Z&until={rfc3339(at)}")["data"] == []


@pytest.mark.parametrize("query", ["since=yesterday", "since=2026-11-21", "until=0001-01-01T00:00:00Z", "outcome=fine"])
def test_a_filter_that_makes_no_sense_is_named(by_key, query):
    answer = by_key("GET", f"usage?{query}")
    assert (answer.status_code, error(answer)["param"]) == (400, query.partition("=")[0])


@pytest.mark.parametrize("rolled_up", [False, True])
@pytest.mark.parametrize("by", ["hour", "day", "model", "key", "project"])
def test_sums_are_those_of_the_requests_whether_or_not_the_job_has_run(acme, globex, by_key, by, rolled_up):
    for hours, facts in ((50, {"model": "b"}), (26, {}), (1, {"outcome": "timeout", "cost": 0}), (0, {})):
        records.settle(acme.organization, clock.now() - hours * HOUR, **facts)
    if rolled_up:
        assert usage.roll_up()
        records.settle(acme.organization, clock.now(), cost=7)
    since = rfc3339(clock.now() - timedelta(days=5))
    answer = by_key.get(f"usage/summary?by={by}&since={since}")
    rows = by_key.get(f"usage?since={since}")["data"]
    groups: dict[str, list[dict]] = {}
    for row in rows:
        groups.setdefault(_group(row, by), []).append(row)
    assert {row["group"]: _sums(row) for row in answer["data"]} == {
        name: _summed(members) for name, members in groups.items()
    }
    assert _sums(answer["total"]) == _summed(rows)
    assert answer["is_complete"] is True
    assert answer["total"]["cost_usd"] == f"{answer['total']['cost_nano_usd'] / 1e9:.9f}"


def test_times_come_in_order_and_others_by_cost(acme, by_key):
    for hours, cost in ((3, 5), (2, 9), (1, 1)):
        records.settle(acme.organization, clock.now() - hours * HOUR, cost=cost, model=f"m{cost}")
    by_hour = [row["group"] for row in by_key.get("usage/summary?by=hour")["data"]]
    assert by_hour == sorted(by_hour)
    assert [row["group"] for row in by_key.get("usage/summary?by=model")["data"]] == ["sim", "m9", "m5", "m1"]


def test_sums_are_filtered(acme, by_key):
    records.settle(acme.organization, model="other")
    assert by_key.get("usage/summary?by=day&model=other")["total"]["requests"] == 1
    assert by_key.get(f"usage/summary?by=day&key={acme.key.public_id}")["total"]["requests"] == 1
    assert by_key.get(f"usage/summary?by=day&project={ids.public('proj', ids.uuid7())}")["total"]["requests"] == 0


def test_a_span_is_made_of_full_hours_or_days(by_key):
    asked = "since=2026-11-01T10:30:00Z&until=2026-11-02T10:00:00Z"
    answer = by_key.get(f"usage/summary?by=hour&{asked}")
    assert (answer["since"], answer["until"]) == ("2026-11-01T10:00:00Z", "2026-11-02T10:00:00Z")
    answer = by_key.get(f"usage/summary?by=day&{asked}")
    assert (answer["since"], answer["until"]) == ("2026-11-01T00:00:00Z", "2026-11-03T00:00:00Z")


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("", "by"),
        ("by=weather", "by"),
        ("by=hour&since=2026-01-01T00:00:00Z&until=2026-02-02T00:00:00Z", "since"),
        ("by=day&since=2025-01-01T00:00:00Z&until=2026-02-02T00:00:00Z", "since"),
        ("by=day&since=2026-02-02T00:00:00Z&until=2026-01-01T00:00:00Z", "since"),
        ("by=day&limit=5", "limit"),
    ],
)
def test_a_summary_that_makes_no_sense_is_refused(by_key, query, param):
    answer = by_key("GET", f"usage/summary?{query}")
    assert (answer.status_code, error(answer)["param"]) == (400, param)


def test_the_wallet_is_what_was_paid_in_less_what_was_used(by_key):
    assert by_key.get("wallet") == {
        "posted_nano_usd": 999_999_000,
        "posted_usd": "0.999999000",
        "held_nano_usd": 0,
        "held_usd": "0.000000000",
        "credit_line_nano_usd": 0,
        "credit_line_usd": "0.000000000",
        "available_nano_usd": 999_999_000,
        "available_usd": "0.999999000",
    }


def _group(row: dict, by: str) -> str:
    start = row["started_at"]
    return {"hour": f"{start[:13]}:00:00Z", "day": f"{start[:10]}T00:00:00Z"}.get(by) or row[by]


def _summed(rows: list[dict]) -> tuple[int, ...]:
    return (
        len(rows),
        sum(row["outcome"] in usage.FAILED for row in rows),
        *(sum(row[name] for row in rows) for name in ("prompt_tokens", "cached_tokens", "completion_tokens")),
        sum(row["cost_nano_usd"] for row in rows),
    )


def _sums(row: dict) -> tuple[int, ...]:
    names = ("requests", "errors", "prompt_tokens", "cached_tokens", "completion_tokens", "cost_nano_usd")
    return tuple(row[name] for name in names)
