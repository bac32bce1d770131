"""The limits of subjects: their own, else the template's; cached for seconds, never older than what is known."""

import asyncio

import orjson
import pytest

from foundation.errors import Overloaded
from foundation.ids import uuid7
from keys.finer import FinerLimits
from keys.subjects import EACH, Subject

ACME, GLOBEX = uuid7(), uuid7()
ALICE = Subject(ACME, "customer", "alice")


class Store:
    """Stands in for the database: rows by subject or, for each, by scope."""

    def __init__(self) -> None:
        self.rows: dict[Subject, dict] = {}
        self.fence = 1
        self.asked: list[list[str]] = []
        self.begun = asyncio.Event()
        self.is_down = False
        self.gate = asyncio.Event()
        self.gate.set()

    def limit(self, subject: Subject, **own) -> None:
        own = {"budget_nusd": None, "budget_window": None, "allowed_models": None, **own}
        self.rows[subject] = {"id": str(uuid7()), "scope_id": str(subject.scope_id), "own": own, "plan": None}

    async def fetch(self, batch: str) -> list[dict]:
        items = orjson.loads(batch)
        self.asked.append([item["text"] for item in items])
        answer = [self._answer(item) for item in items]
        self.begun.set()
        await self.gate.wait()
        if self.is_down:
            raise ConnectionError("no route to host")
        return answer

    def _answer(self, item: dict) -> dict:
        own = next((row for subject, row in self.rows.items() if str(subject.scope_id) == item["scope_id"]), None)
        each = next(
            (row for subject, row in self.rows.items() if (subject.scope, subject.text) == (item["scope"], "")), None
        )
        facts = {name: item[name] for name in ("organization", "scope", "text")}
        return {**facts, "fence": self.fence, "row": own or each}


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def finer(store) -> FinerLimits:
    return FinerLimits(store.fetch)


async def test_a_subjects_own_limits_are_found_under_its_own_id(store, finer):
    store.limit(ALICE, rpm=5, budget_nusd=7, budget_window="day")
    effective = await finer.of([ALICE], 1)
    (rate,), (cap,) = effective.rates, effective.caps
    assert (rate.scope, rate.scope_id, rate.rpm) == ("customer", str(ALICE.scope_id), 5)
    assert (rate.who, cap.who) == ('customer "alice"', 'customer "alice"')
    assert str(cap.budget_id) == store.rows[ALICE]["id"]


async def test_each_to_whom_a_template_applies_has_counters_and_budgets_of_its_own(store, finer):
    store.limit(Subject(ACME, "customer", ""), rpm=5, budget_nusd=7, budget_window="day")
    alice = await finer.of([ALICE], 1)
    bob = await finer.of([Subject(ACME, "customer", "bob")], 1)
    assert alice.rates[0].scope_id != bob.rates[0].scope_id
    assert alice.caps[0].budget_id != bob.caps[0].budget_id
    assert EACH not in {alice.caps[0].scope_id, bob.caps[0].scope_id}
    assert (await finer.of([ALICE], 1)).caps == alice.caps


async def test_one_round_trip_reads_all_that_is_missing_and_the_next_request_none(store, finer):
    subjects = [ALICE, Subject(ACME, "model", "sim"), Subject(ACME, "address", "192.0.2.7")]
    await asyncio.gather(*(finer.of(subjects, 1) for _ in range(10)))
    await finer.of(subjects, 1)
    assert [sorted(texts) for texts in store.asked] == [["192.0.2.7", "alice", "sim"]]


async def test_news_of_the_organization_drop_what_was_known(store, finer):
    globex = Subject(GLOBEX, "customer", "alice")
    await finer.of([ALICE], 1)
    await finer.of([globex], 1)
    store.limit(ALICE, rpm=1)
    finer.forget(ACME)
    assert (await finer.of([ALICE], 1)).rates[0].rpm == 1
    await finer.of([globex], 1)
    assert store.asked == [["alice"], ["alice"], ["alice"]]


async def test_what_a_look_up_brings_after_news_is_not_kept(store, finer):
    store.gate.clear()
    asking = asyncio.ensure_future(finer.of([ALICE], 1))
    await store.begun.wait()
    store.limit(ALICE, rpm=1)
    finer.forget(ACME)
    store.gate.set()
    assert (await asking).rates == ()
    assert (await finer.of([ALICE], 1)).rates[0].rpm == 1


async def test_a_newer_version_of_the_organization_is_looked_for(store, finer):
    await finer.of([ALICE], 1)
    store.limit(ALICE, rpm=1)
    store.fence = 2
    assert (await finer.of([ALICE], 1)).rates == ()
    assert (await finer.of([ALICE], 2)).rates[0].rpm == 1


async def test_without_the_database_what_is_fresh_serves_and_nothing_else(store, finer):
    await finer.of([ALICE], 1)
    store.is_down = True
    assert (await finer.of([ALICE], 1)).rates == ()
    assert (await finer.of([ALICE], 2)).rates == ()
    finer._fresh_seconds = 0
    with pytest.raises(Overloaded) as refused:
        await finer.of([ALICE], 1)
    assert refused.value.retry_after == 1


async def test_the_cache_has_a_bound(store, finer, monkeypatch):
    monkeypatch.setattr("keys.finer.MOST_SUBJECTS", 3)
    for number in range(10):
        await finer.of([Subject(ACME, "customer", str(number))], 1)
    assert len(finer._entries) == 3
    assert {subject.text for subject in finer._subjects[ACME]} == {"7", "8", "9"}
