"""Three processes do whatever they like with the same few requests, purses and budgets, at the same time.

None may ever see a deadlock or another error, nobody may ever see money that is not there, and afterwards every sum is
exact: each request was charged as often as somebody was told so, at most once.
"""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from threading import Event
from uuid import UUID

import psycopg
import pytest

from billing import reconciliation
from foundation.ids import uuid7
from tests.billing.machine import postgres
from tests.billing.machine.books import Ask, Cap, Charge
from tests.billing.machine.postgres import HOUR, OVER, Teller
from tests.databases import Database

PROCESSES = 3
TRANSACTIONS = 300
REQUESTS = 300
# How many requests are talked about at the same time.
IN_FLIGHT = 30
CREDIT = 500
LIMIT = 300
# What a snapshot must never show: a wallet or a budget that gave more than it had, but for what was used beyond a hold.
OVERSPENT = """
WITH beyond AS (
    SELECT purse, sum(greatest(cost_nusd - CASE WHEN late THEN 0 ELSE hold_nusd END, 0)) AS amount
    FROM billing_usagerecord, unnest(purses) AS purse GROUP BY purse
)
SELECT p.id, p.posted_nusd, p.held_nusd, beyond.amount FROM billing_purse p LEFT JOIN beyond ON beyond.purse = p.id
WHERE CASE p.kind WHEN 'wallet' THEN p.posted_nusd ELSE %s - p.posted_nusd END
    - p.held_nusd + coalesce(beyond.amount, 0) < 0
"""

# Between any two steps inside a function others get their chance.
SLOW_MOTION = """
CREATE FUNCTION pause() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(random() / 400); RETURN NULL; END';
CREATE TRIGGER pause AFTER INSERT OR UPDATE OR DELETE ON billing_hold EXECUTE FUNCTION pause();
CREATE TRIGGER pause AFTER INSERT OR UPDATE ON billing_purse EXECUTE FUNCTION pause();
CREATE TRIGGER pause AFTER INSERT ON billing_usagerecord EXECUTE FUNCTION pause()
"""


@dataclass
class Town:
    """Two organizations, and all the requests that they will ever make."""

    organizations: list[UUID]
    asks: list[Ask]
    charged: list[tuple[UUID, int]] = field(default_factory=list)
    slices: list[UUID] = field(default_factory=list)


def _found(database: Database, dice: random.Random) -> Town:
    with psycopg.connect(database.owner_url, autocommit=True) as owner, closing(Teller(database.url)) as teller:
        # Waiting a second to find a deadlock would hide most of them.
        owner.execute(f"ALTER DATABASE {database.name} SET deadlock_timeout = '20ms'".encode())
        owner.execute(SLOW_MOTION)
        organizations = [postgres.found(owner) for _ in range(2)]
        for name in organizations:
            teller.post(name, "credit", str(name), CREDIT)
    caps = {name: [Cap(uuid7(), window, LIMIT) for window in ("day", "5h", "lifetime")] for name in organizations}
    asks = []
    for _ in range(REQUESTS):
        name = dice.choice(organizations)
        asks.append(
            Ask(uuid7(), name, dice.choice([0, 20, 50, 100]), tuple(dice.sample(caps[name], dice.randrange(4))))
        )
    return Town(organizations, asks)


class Process:
    """One process with a connection and a mind of its own."""

    def __init__(self, town: Town, teller: Teller, seed: int) -> None:
        self.town = town
        self.teller = teller
        self.dice = random.Random(seed)
        self.in_flight = town.asks
        self.granted: dict[UUID, tuple[UUID, ...]] = {}
        # What is free of its slices, as it believes.
        self.free: dict[UUID, tuple[Ask, int]] = {}

    def live(self) -> None:
        for turn in range(TRANSACTIONS):
            start = turn * (REQUESTS - IN_FLIGHT) // TRANSACTIONS
            self.in_flight = self.town.asks[start : start + IN_FLIGHT]
            self._transaction()

    def _transaction(self) -> None:
        """Most commit at once; some take their time with their locks, and some of these die."""
        if self.dice.random() < 0.3:
            self._keep(self.dice.choice([self._lease, self._serve, self._serve, self._serve, self._give_back])())
            return
        act = self.dice.choice(
            [self._hold, self._hold, self._settle, self._settle, self._void, self._extend, self._reap, self._top_up]
        )
        if self.dice.random() < 0.6:
            self._keep(act())
            return
        connection = self.teller.connection
        connection.execute("BEGIN")
        news = act()
        time.sleep(self.dice.random() / 300)
        if self.dice.random() < 0.1:
            connection.execute("ROLLBACK")
        else:
            connection.execute("COMMIT")
            self._keep(news)

    def _keep(self, news: list[tuple[UUID, int]]) -> None:
        self.town.charged += news

    def _some(self) -> list[Ask]:
        # With repetitions, and in no order.
        return self.dice.choices(self.in_flight, k=self.dice.randint(1, 8))

    def _hold(self) -> list[tuple[UUID, int]]:
        answers = self.teller.hold(self._some(), self.dice.choice([HOUR, HOUR, OVER]))
        self.granted |= {request: verdict.purses for request, verdict in answers if verdict.purses}
        return []

    def _settle(self) -> list[tuple[UUID, int]]:
        charges = [
            Charge(ask.request, ask.organization, self.dice.randint(0, 60), self.granted.get(ask.request, ()))
            for ask in self._some()
        ]
        answers = self.teller.settle(charges)
        return [
            (charge.request, charge.cost)
            for charge, (_, verdict, _, _) in zip(charges, answers, strict=True)
            if verdict != "duplicate"
        ]

    def _lease(self) -> list[tuple[UUID, int]]:
        some = self.dice.choice(self.in_flight)
        ask = Ask(uuid7(), some.organization, 60, some.caps, is_slice=True)
        ((_, verdict),) = self.teller.hold([ask], self.dice.choice([HOUR, HOUR, OVER]))
        if verdict.purses:
            self.town.slices.append(ask.request)
            self.granted[ask.request] = verdict.purses
            self.free[ask.request] = ask, ask.amount
        return []

    def _serve(self) -> list[tuple[UUID, int]]:
        """Hold a request in a slice; some are written down, some come to their end, some are forgotten."""
        roomy = [name for name, (_, free) in self.free.items() if free >= 20]
        if not roomy:
            return []
        name = self.dice.choice(roomy)
        its, free = self.free[name]
        ask = Ask(uuid7(), its.organization, 20)
        self.free[name] = its, free - ask.amount
        if self.dice.random() < 0.5:
            self.teller.enter([(ask, name)], self.dice.choice([HOUR, OVER]))
        if self.dice.random() < 0.2:
            return []
        cost, last = self.dice.randint(0, 25), self.dice.random() < 0.2
        release = ask.amount if last else min(cost, ask.amount)
        charge = Charge(ask.request, ask.organization, cost, self.granted[name], name, ask.amount, release)
        ((_, verdict, _, _),) = self.teller.settle([charge])
        if verdict == "settled":
            self.free[name] = its, free - release
        else:
            del self.free[name]
        return [(ask.request, cost)]

    def _give_back(self) -> list[tuple[UUID, int]]:
        if self.free:
            name = self.dice.choice(list(self.free))
            _, free = self.free.pop(name)
            self.teller.shrink([(name, free, True)])
        return []

    def _void(self) -> list[tuple[UUID, int]]:
        self.teller.void([ask.request for ask in self._some()])
        return []

    def _extend(self) -> list[tuple[UUID, int]]:
        self.teller.extend([ask.request for ask in self._some()], self.dice.choice([HOUR, OVER]))
        return []

    def _reap(self) -> list[tuple[UUID, int]]:
        self.teller.reap(self.dice.choice([1, 1000]))
        return []

    def _top_up(self) -> list[tuple[UUID, int]]:
        """The same payments are announced to every process."""
        name, amount = self.dice.choice(self.town.organizations), self.dice.choice([50, 100])
        self.teller.post(name, "credit", f"{name}-{amount}", amount)
        return []


def _watch(database: Database, done: Event) -> int:
    """Look at the money again and again while it moves. Returns how often."""
    looks = 0
    with closing(Teller(database.url)) as teller:
        while not done.is_set():
            assert teller.connection.execute(OVERSPENT, (LIMIT,)).fetchall() == []
            looks += 1
            done.wait(0.001)
    return looks


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_happens_at_once_every_sum_is_exact(fresh_database, seed):
    town = _found(fresh_database, random.Random(seed))
    done = Event()
    with ThreadPoolExecutor(PROCESSES + 1) as threads:
        watching = threads.submit(_watch, fresh_database, done)
        tellers = [Teller(fresh_database.url) for _ in range(PROCESSES)]
        living = [threads.submit(Process(town, teller, seed * 10 + i).live) for i, teller in enumerate(tellers)]
        try:
            for life in living:
                life.result()
        finally:
            done.set()
            for teller in tellers:
                teller.close()
    assert watching.result() > 10
    _check(fresh_database, town)


def _check(database: Database, town: Town) -> None:
    with closing(Teller(database.url)) as teller:
        teller.extend([ask.request for ask in town.asks], OVER)
        teller.renew(town.slices, OVER)
        teller.reap()
        purses, holds, records, _ = teller.look(town.organizations)
    settled = {UUID(name): cost for name, (_, outcome, cost, *_) in records.items() if outcome == "complete"}
    assert len(town.charged) == len(settled) > 100
    assert dict(town.charged) == settled
    assert holds == {}
    for name in town.organizations:
        spent = sum(cost for owner, _, cost, *_ in records.values() if owner == str(name))
        assert purses[str(name)][:2] == [_credit(database, name) - spent, 0]
    assert reconciliation.verify() == []


def _credit(database: Database, name: UUID) -> int:
    ((kinds, total),) = database.sql(
        "SELECT count(*), sum(amount_nusd)::bigint FROM billing_ledgerentry"
        " WHERE organization_id = %s AND account = 'wallet' AND kind = 'credit'",
        name,
    )
    assert kinds == 3, "each payment counts once, however often it was announced"
    return int(total)
