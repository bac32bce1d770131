"""Slices of hot purses: requests are held without a round trip, and no sum is ever another than without them."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import psycopg
import pytest

from billing import reconciliation, spending
from billing.errors import InsufficientCredit
from billing.holds import Hold, Holds
from billing.settlement import Settlements
from billing.slices import HOT, IDLE_MS, REST_MS, Pocket, Slice
from foundation.stores import Postgres
from tenants import isolation
from tenants.models import Organization
from tests.billing import cast
from tests.billing.cast import Budget, Money
from tests.threads import off_loop

founded = off_loop(cast.organization_with)
in_flight = off_loop(cast.balance)
verify = off_loop(reconciliation.verify)

AMOUNT = 100
RICH = 10_000_000
PATIENCE = 10.0


@asynccontextmanager
async def process(url: str, processes: int = 1) -> AsyncIterator[Money]:
    """The money of one gateway process with slices."""
    postgres = Postgres(url)
    await postgres.open()
    holds = Holds(postgres, 20, with_slices=True, processes=processes)
    holds.start()
    try:
        yield Money(postgres, holds, Settlements(postgres))
    finally:
        await holds.drain()
        await holds.stop()
        await postgres.close()


async def settle(money: Money, who, hold: Hold, cost: int = 1) -> None:
    place = hold.place
    bill = cast.bill(who, hold, cost)
    if place:
        bill = bill._replace(slice=place.slice.id, held=hold.amount_nusd, release=place.release(cost))
    await money.holds.leave(hold)
    money.holds.ended(hold, await money.settlements.settle(bill, within_seconds=1), bill.release)


async def heat(money: Money, who, *caps: Budget) -> Hold:
    """Ask until a request is held in a slice; return its hold."""
    async with asyncio.timeout(PATIENCE):
        while True:
            holds = [await money.holds.take(cast.request(who, AMOUNT, *caps)) for _ in range(20)]
            last = holds.pop()
            for hold in holds:
                await settle(money, who, hold)
            if last.place:
                return last
            await settle(money, who, last)


async def eventually(condition) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await condition():  # noqa: ASYNC110 - what is waited for happens in Postgres
            await asyncio.sleep(0.02)


@contextmanager
def away(database, function: str) -> Iterator[None]:
    """Let Postgres not know one of its functions for the length of a block."""
    name, _ = function.split("(")
    database.sql(f"ALTER FUNCTION {function} RENAME TO {name}_away")
    try:
        yield
    finally:
        database.sql(f"ALTER FUNCTION {function.replace(name, name + '_away')} RENAME TO {name}")


async def balance(database, who) -> tuple[int, int]:
    """What the wallet has, and what of it is held, slices included."""
    ((posted, held),) = database.sql("SELECT posted_nusd, held_nusd FROM billing_purse WHERE id = %s", who)
    return posted, held


def slices(database) -> int:
    ((count,),) = database.sql("SELECT count(*) FROM billing_hold WHERE slice_id = request_id")
    return count


@off_loop
def reserved(who, budget: Budget) -> int:
    """What people see as reserved of a budget."""
    with isolation.everything():
        windows = spending.windows(Organization.objects.get(pk=who), [(budget.budget_id, budget.window)])
    return windows[budget.budget_id, budget.window].held_nusd


async def test_requests_on_a_hot_purse_are_held_in_memory_and_charged_as_ever(fresh_database):
    acme, budget = await founded(RICH), Budget(RICH)
    async with process(fresh_database.url) as money:
        hold = await heat(money, acme, budget)
        posted, _ = await balance(fresh_database, acme)
        of_slice = "SELECT amount_nusd FROM billing_hold WHERE request_id = %s"
        ((before,),) = fresh_database.sql(of_slice, hold.place.slice.id)
        await settle(money, acme, hold, 7)
        assert fresh_database.sql(of_slice, hold.place.slice.id) == [(before - 7,)]
        assert (await balance(fresh_database, acme))[0] == posted - 7
        assert await verify() == []
    assert (await balance(fresh_database, acme))[1] == 0
    assert fresh_database.sql("SELECT count(*) FROM billing_hold") == [(0,)]


async def test_a_request_in_a_slice_is_on_record_before_its_answer_begins_and_gone_after_it(fresh_database):
    acme = await founded(RICH)
    mine = "SELECT state, amount_nusd FROM audit_hold WHERE state <> 'slice'"
    async with process(fresh_database.url) as money:
        hold = await heat(money, acme)
        await money.holds.show(hold)
        assert fresh_database.sql(mine) == [("held", AMOUNT)]
        assert (await in_flight(acme))[1] == AMOUNT
        await settle(money, acme, hold)
        assert fresh_database.sql(mine) == []
        assert await verify() == []


async def test_what_could_not_be_written_down_is_written_down_when_postgres_can_again(fresh_database):
    acme = await founded(RICH)
    mine = "SELECT count(*) FROM audit_hold WHERE state <> 'slice'"
    async with process(fresh_database.url) as money:
        hold = await heat(money, acme)
        with away(fresh_database, "turnpike_enter(jsonb, interval)"):
            with pytest.raises(psycopg.errors.UndefinedFunction):
                await money.holds.show(hold)
            assert fresh_database.sql(mine) == [(0,)]

        async def is_on_record():
            return fresh_database.sql(mine) == [(1,)]

        await eventually(is_on_record)
        await settle(money, acme, hold)
        assert await verify() == []


async def test_a_voided_request_leaves_its_money_in_the_slice(fresh_database):
    acme = await founded(RICH)
    async with process(fresh_database.url) as money:
        hold = await heat(money, acme)
        await money.holds.show(hold)
        free = hold.place.slice.free
        await money.holds.void(hold)
        assert hold.place.slice.free == free + AMOUNT
        assert await verify() == []


async def test_an_idle_slice_is_given_back(fresh_database):
    acme = await founded(RICH)
    async with process(fresh_database.url) as money:
        await settle(money, acme, await heat(money, acme))

        async def nothing_is_held():
            return not slices(fresh_database)

        await eventually(nothing_is_held)
        assert (await balance(fresh_database, acme))[1] == 0


async def test_a_slice_that_comes_while_its_process_leaves_is_given_back(fresh_database):
    acme = await founded(RICH)
    async with process(fresh_database.url) as money:
        holds = [await heat(money, acme)]
        with psycopg.connect(fresh_database.owner_url) as other:
            other.execute("SELECT FROM billing_purse WHERE id = %s FOR UPDATE", [acme])

            async def another_is_asked_for():
                while (taken := money.holds.begin(cast.request(acme, AMOUNT))) and isinstance(taken, Hold):
                    holds.append(taken)
                return any(pocket.asking for pocket in money.holds._slices._pockets.values())

            await eventually(another_is_asked_for)
            leaving = asyncio.create_task(money.holds.drain())
            await asyncio.sleep(0)
        await leaving
    assert slices(fresh_database) == len({hold.place.slice.id for hold in holds if hold.place})


async def test_nobody_is_refused_for_what_lies_idle_in_another_processs_slice(fresh_database):
    acme = await founded(RICH)
    async with process(fresh_database.url) as one, process(fresh_database.url) as other:
        running = await heat(one, acme)
        posted, held = await balance(fresh_database, acme)
        everything = posted - AMOUNT
        assert posted - held < everything, "the slice is out"
        hold = await other.holds.take(cast.request(acme, everything))
        assert await balance(fresh_database, acme) == (posted, posted)
        with pytest.raises(InsufficientCredit, match="reserved"):
            await other.holds.take(cast.request(acme, 1))
        await settle(one, acme, running)
        await settle(other, acme, hold)
        assert await verify() == []


async def test_after_a_charge_beyond_all_credit_nothing_is_held_in_slices_any_more(fresh_database):
    acme = await founded(RICH)
    async with process(fresh_database.url) as one, process(fresh_database.url) as other:
        running = await heat(one, acme)
        await settle(other, acme, await heat(other, acme), 2 * RICH)

        async def is_refused():
            try:
                hold = await one.holds.take(cast.request(acme, AMOUNT))
            except InsufficientCredit:
                return True
            await settle(one, acme, hold)
            return False

        await eventually(is_refused)
        await settle(one, acme, running)
        assert await verify() == []


async def test_budgets_show_what_requests_hold_and_not_what_lies_idle(fresh_database):
    acme, budget = await founded(RICH), Budget(RICH)
    async with process(fresh_database.url) as money:
        hold = await heat(money, acme, budget)
        await money.holds.show(hold)
        assert slices(fresh_database) > 0
        assert await reserved(acme, budget) == AMOUNT
        await settle(money, acme, hold)


async def test_a_small_wallet_is_never_sliced(fresh_database):
    acme = await founded(10 * AMOUNT)
    async with process(fresh_database.url) as money:
        for _ in range(60):
            hold = await money.holds.take(cast.request(acme, AMOUNT))
            assert hold.place is None
            await money.holds.void(hold)


async def test_what_a_dead_process_had_in_slices_is_free_after_its_lease(fresh_database):
    acme = await founded(RICH)
    async with process(fresh_database.url) as money:
        hold = await heat(money, acme)
        await money.holds.show(hold)
        fresh_database.sql("UPDATE billing_hold SET expires_at = now() - interval '1 second'")
        fresh_database.sql("SELECT turnpike_reap()")
        assert (await balance(fresh_database, acme))[1] == 0
        records = fresh_database.sql("SELECT outcome, hold_nusd FROM billing_usagerecord WHERE outcome = 'expired'")
        assert records == [("expired", AMOUNT)]
        await settle(money, acme, hold, 5)
        assert await verify() == []
        assert fresh_database.sql("SELECT late FROM billing_usagerecord WHERE late") == [(True,)]


def slice_with(free: int, window_ends: int = 100_000) -> Slice:
    return Slice(cast.uuid7(), (), free, usable_until=100_000, window_ends=window_ends, touched=0)


def pocket_with(requests: int, room: int = RICH) -> Pocket:
    pocket = Pocket(room=room)
    for _ in range(requests):
        pocket.note(AMOUNT, 0)
    pocket.look()
    return pocket


def test_a_slice_gives_no_more_than_it_has_and_nothing_after_its_end():
    one = slice_with(250, window_ends=50_000)
    assert [one.take(100, 1), one.take(100, 1), one.take(100, 1)] == [True, True, False]
    assert not one.take(1, 50_000)


def test_slices_shrink_as_a_purse_empties_and_end_before_it_is_empty():
    sizes = [pocket_with(5 * HOT, room).wish(0, processes=2) for room in (RICH, 100_000, 20_000, 12_000, 1_000)]
    assert sizes == [20_000, 12_500, 2_500, 0, 0]


def test_a_purse_that_is_not_hot_any_more_is_not_sliced():
    assert pocket_with(HOT - 1).wish(0, processes=1) == 0
    hot = pocket_with(HOT)
    assert hot.wish(0, processes=1) == 4_000
    hot.look()
    assert hot.wish(0, processes=1) == 0


def test_after_a_recall_nothing_is_sliced_for_a_while():
    pocket = pocket_with(5 * HOT)
    pocket.slices.append(slice_with(1_000))
    pocket.rest(0)
    assert pocket.take(1, 0) is None
    assert pocket.wish(REST_MS - 1, processes=1) == 0
    assert pocket.slices[0].surplus(0) == 1_000


def test_what_is_idle_is_surplus_and_what_runs_is_not():
    one = slice_with(300)
    assert one.take(100, 0)
    assert one.surplus(IDLE_MS - 1) == 0
    assert one.surplus(IDLE_MS) == 200
    assert not one.is_over(IDLE_MS)
    one.put_back(99)
    assert one.surplus(2 * IDLE_MS) == 99
    assert one.is_over(2 * IDLE_MS)
