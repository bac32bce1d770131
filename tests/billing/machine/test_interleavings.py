"""Two transactions at once, every pair of operations in every situation: as if one had come after the other.

The first one has done its work but not committed when the second one starts; then it commits, or its process dies.
What comes out, answers and all, must be what the model says of one order or of the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from itertools import product

import psycopg
import pytest

from foundation.ids import uuid7
from tests.billing.machine import postgres
from tests.billing.machine.books import Ask, Books, Cap, Purse
from tests.billing.machine.operations import OPERATIONS, Operation, Scene
from tests.billing.machine.postgres import HOUR, OVER, Look, Teller

SITUATIONS = ["new", "held", "stale", "expired", "settled"]


@dataclass
class Stage:
    """Two processes' connections, and the owner's."""

    first: Teller
    second: Teller
    owner: psycopg.Connection
    threads: ThreadPoolExecutor

    def start_second(self, operation: Operation, scene: Scene) -> Future[object]:
        """Start it, and return when it has finished or waits for a lock."""
        running = self.threads.submit(operation.real, self.second, scene)
        waits = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s"
        while not running.done():
            found = self.owner.execute(waits, (self.second.connection.info.backend_pid,)).fetchone()
            if found and found[0]:
                break
        return running


@pytest.fixture
def stage(fresh_database) -> Iterator[Stage]:
    with (
        closing(Teller(fresh_database.url)) as first,
        closing(Teller(fresh_database.url)) as second,
        psycopg.connect(fresh_database.owner_url, autocommit=True) as owner,
        ThreadPoolExecutor(1) as threads,
    ):
        yield Stage(first, second, owner, threads)


@contextmanager
def _scene(stage: Stage, situation: str) -> Iterator[tuple[Scene, Books]]:
    name, budget = postgres.found(stage.owner), uuid7()
    stage.first.post(name, "credit", str(name), 100)
    cap = Cap(budget, "lifetime", 60)
    asks = [Ask(uuid7(), name, 50, (cap,)) for _ in range(3)]
    # A first request opens the budget's window.
    ((_, verdict),) = stage.first.hold(asks[2:])
    assert verdict.purses
    stage.first.void([asks[2].request])
    scene = Scene(name, verdict.purses[1], asks[0], asks[1])
    books = Books({name: Purse(name), scene.window: Purse(name, budget=budget, window="lifetime", limit=60)})
    books.credit(name, "credit", 100)
    _prepare(stage.first, scene, books, situation)
    yield scene, books
    stage.first.extend([ask.request for ask in asks], OVER)
    stage.first.reap()


def _prepare(teller: Teller, scene: Scene, books: Books, situation: str) -> None:
    if situation == "new":
        return
    stale = situation in ("stale", "expired")
    teller.hold([scene.one], OVER if stale else HOUR)
    books.take(scene.one, stale=stale)
    if situation == "expired":
        assert teller.reap() == books.reap()
    if situation == "settled":
        teller.settle([scene.charge(scene.one, 20)])
        books.settle(scene.charge(scene.one, 20))


def _in_order(books: Books, scene: Scene, *operations: Operation) -> tuple[list[object], Look]:
    books = deepcopy(books)
    return [operation.model(books, scene) for operation in operations], postgres.as_kept(books)


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("commits", [True, False], ids=["then commits", "then dies"])
def test_two_at_once_are_one_after_the_other(stage, situation, commits):
    for (one, first), (other, second) in product(OPERATIONS.items(), repeat=2):
        with _scene(stage, situation) as (scene, books):
            came, after = _at_once(stage, scene, first, second, commits=commits)
            assert (came, after) in _possible(books, scene, first, second, commits=commits), f"{one}; meanwhile {other}"
            assert stage.first.differences() == []


def _at_once(
    stage: Stage, scene: Scene, first: Operation, second: Operation, *, commits: bool
) -> tuple[list[object], Look]:
    stage.first.connection.execute("BEGIN")
    answer = first.real(stage.first, scene)
    running = stage.start_second(second, scene)
    stage.first.connection.execute("COMMIT" if commits else "ROLLBACK")
    answers = [answer, running.result(timeout=10)] if commits else [running.result(timeout=10)]
    return answers, stage.first.look([scene.organization])


def _possible(
    books: Books, scene: Scene, first: Operation, second: Operation, *, commits: bool
) -> list[tuple[list[object], Look]]:
    """All that may come out; of a process that died, nothing came."""
    before = [first] if commits else []
    outcomes = [_in_order(books, scene, *before, second)]
    if commits:
        answers, look = _in_order(books, scene, second, first)
        outcomes.append((answers[::-1], look))
    if second is OPERATIONS["extend"]:
        # It passes over what another transaction has hold of: the next round comes before the lease is over.
        answers, look = _in_order(books, scene, *before)
        outcomes.append(([*answers, set()], look))
    return outcomes


@pytest.mark.parametrize("commits", [True, False], ids=["then commits", "then dies"])
@pytest.mark.parametrize("length", ["5h", "day", "lifetime"])
def test_two_that_need_a_window_at_once_open_one(stage, length, commits):
    """The second one's transaction is older, so it could believe that the window of the first starts in its future."""
    with _scene(stage, "new") as (scene, _):
        cap = Cap(uuid7(), length, 60)
        one, two = (replace(ask, caps=(cap,)) for ask in (scene.one, scene.two))
        stage.second.connection.execute("BEGIN")
        stage.second.connection.execute("SELECT now()")
        stage.first.connection.execute("BEGIN")
        stage.first.hold([one])
        running = stage.start_second(Operation(lambda teller, _: teller.hold([two]), lambda *_: None), scene)
        stage.first.connection.execute("COMMIT" if commits else "ROLLBACK")
        ((_, verdict),) = running.result(timeout=10)
        stage.second.connection.execute("COMMIT")
        windows = stage.first.windows([scene.organization])
        assert len([window for _, _, budget, window, _ in windows if budget == cap.budget]) == 1
        assert (verdict.purses is None) == commits, "50 and 50 do not both fit into 60"


def test_a_void_leaves_alone_what_was_held_after_it_had_looked(stage, fresh_database):
    """Its wallet is not among those that the void has locked."""
    with _scene(stage, "held") as (acme, _), _scene(stage, "new") as (globex, _):
        requests = [acme.one.request, globex.one.request]
        stage.first.connection.execute("BEGIN")
        stage.first.post(acme.organization, "adjustment", None, 1)
        running = stage.start_second(Operation(lambda teller, _: teller.void(requests), lambda *_: None), acme)
        with closing(Teller(fresh_database.url)) as third:
            third.hold([globex.one])
        stage.first.connection.execute("COMMIT")
        assert running.result(timeout=10) == 1
        assert list(stage.first.look([globex.organization])[1]) == [str(globex.one.request)]
