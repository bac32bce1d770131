import asyncio
from collections.abc import Callable, Coroutine
from contextvars import ContextVar

import pytest
import uvloop

from foundation import metrics
from foundation.batching import Batcher
from foundation.errors import Overloaded, PlatformError

request = ContextVar("request", default="nobody's")


type Answer = Callable[[list[int]], list[int | Exception]]


def negated(items: list[int]) -> list[int | Exception]:
    return [-item for item in items]


class Station:
    """A sender whose flights leave and wait until the test lets them land."""

    def __init__(self) -> None:
        self.flights: list[list[int]] = []
        self.under_way = self.most_under_way = 0
        self._gates: list[asyncio.Future[Answer]] = []

    async def send(self, items: list[int]) -> list[int | Exception]:
        self.flights.append(items)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        gate: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._gates.append(gate)
        try:
            return (await gate)(items)
        finally:
            self.under_way -= 1

    async def land(self, answer: Answer = negated):
        self._gates.pop(0).set_result(answer)
        await turns()


@pytest.fixture
def station() -> Station:
    return Station()


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request):
    """Runs a coroutine on each kind of loop."""

    def run(coroutine: Coroutine[None, None, None]) -> None:
        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(coroutine)

    return run


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def calls(batcher: Batcher[int, int], *items: int) -> list[asyncio.Task[int]]:
    return [asyncio.create_task(batcher.submit(item)) for item in items]


def stop_flights(batcher: Batcher[int, int]) -> None:
    """Do what a loop does to its tasks when it is shut down."""
    for task in list(batcher._tasks):
        task.cancel()


def boom(_: list[int]) -> list[int | Exception]:
    raise ConnectionError("down")


async def test_alone_a_call_goes_at_once(station):
    batcher = Batcher(station.send, name="test")
    calls(batcher, 1)
    await turns(2)
    assert station.flights == [[1]]
    await station.land()


async def test_calls_made_meanwhile_go_together_as_the_next_flight(station):
    batcher = Batcher(station.send, name="test")
    calls(batcher, 1)
    await turns()
    later = calls(batcher, 2, 3, 4)
    await turns()
    await station.land()
    assert station.flights == [[1], [2, 3, 4]]
    await station.land()
    assert await asyncio.gather(*later) == [-2, -3, -4]


async def test_calls_of_one_turn_of_the_loop_go_together(station):
    batcher = Batcher(station.send, name="test", flights=4)
    calls(batcher, 1, 2, 3)
    await turns(1)
    assert (batcher.under_way, batcher.waiting) == (1, 3)
    await turns()
    assert station.flights == [[1, 2, 3]]
    await station.land()


async def test_the_next_flight_leaves_in_the_turn_in_which_the_last_one_landed(station):
    batcher = Batcher(station.send, name="test")
    calls(batcher, 1)
    await turns()
    calls(batcher, 2)
    await turns()
    station._gates.pop(0).set_result(list)
    await turns(1)
    assert station.flights == [[1], [2]]
    await station.land()


async def test_a_flight_takes_no_more_than_max_batch_in_order(station):
    batcher = Batcher(station.send, name="test", max_batch=2)
    waiting = calls(batcher, 1, 2, 3, 4, 5)
    for _ in range(3):
        await turns()
        await station.land()
    assert station.flights == [[1, 2], [3, 4], [5]]
    assert await asyncio.gather(*waiting) == [-1, -2, -3, -4, -5]


async def test_what_does_not_fit_takes_another_flight_where_several_may_be_under_way(station):
    batcher = Batcher(station.send, name="test", max_batch=2, flights=2)
    calls(batcher, 1, 2, 3, 4, 5)
    await turns()
    assert station.flights == [[1, 2], [3, 4]]
    assert (batcher.under_way, batcher.waiting) == (2, 1)
    for _ in range(3):
        await station.land()
    assert station.most_under_way == 2


async def test_an_exception_in_a_position_reaches_only_that_caller(station):
    batcher = Batcher(station.send, name="test")
    waiting = calls(batcher, 1, 2, 3)
    await turns()
    await station.land(lambda _: [10, LookupError("two"), 30])
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert results[0::2] == [10, 30]
    assert isinstance(results[1], LookupError)


async def test_an_exception_of_the_sender_reaches_that_flight_and_no_other(station):
    batcher = Batcher(station.send, name="test")
    first = calls(batcher, 1, 2)
    await turns()
    second = calls(batcher, 3)
    await turns()
    await station.land(boom)
    await station.land()
    assert [type(error) for error in await asyncio.gather(*first, return_exceptions=True)] == [ConnectionError] * 2
    assert await asyncio.gather(*second) == [-3]


@pytest.mark.parametrize("answer", [lambda _: [], lambda items: [*items, 9], lambda _: None])
async def test_a_wrong_number_of_results_is_an_error_to_all_of_the_flight(station, answer):
    batcher = Batcher(station.send, name="test")
    waiting = calls(batcher, 1, 2)
    await turns()
    await station.land(answer)
    errors = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(error, PlatformError | TypeError) for error in errors)


async def test_a_caller_may_wait_for_several_batches_at_once(station):
    first, second = Batcher(station.send, name="test"), Batcher(station.send, name="test")
    futures = [first.enqueue(1), second.enqueue(2)]
    await turns()
    assert station.flights == [[1], [2]]
    await station.land()
    await station.land()
    assert await asyncio.gather(*futures) == [-1, -2]


async def test_none_is_a_result():
    async def send(items: list[int]) -> list[int | None]:
        return [None] * len(items)

    batcher: Batcher[int, int | None] = Batcher(send, name="test")
    assert await batcher.submit(1) is None


async def test_a_cancelled_caller_leaves_its_flight_and_the_others_alone(station):
    batcher = Batcher(station.send, name="test")
    leaver, stayer = calls(batcher, 1, 2)
    await turns()
    leaver.cancel()
    await turns()
    await station.land()
    assert await stayer == -2
    assert leaver.cancelled()
    assert station.flights == [[1, 2]]


async def test_the_item_of_a_caller_cancelled_before_departure_is_sent_all_the_same(station):
    batcher = Batcher(station.send, name="test")
    calls(batcher, 1)
    await turns()
    (leaver,) = calls(batcher, 2)
    await turns()
    leaver.cancel()
    await turns()
    await station.land()
    await station.land()
    assert station.flights == [[1], [2]]


async def test_a_caller_with_a_timeout_does_not_cancel_the_flight(station):
    batcher = Batcher(station.send, name="test")
    (stayer,) = calls(batcher, 2)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await batcher.submit(1)
    await station.land()
    assert await stayer == -2


async def test_a_full_queue_refuses_and_does_not_send(station):
    batcher = Batcher(station.send, name="full", max_waiting=2)
    calls(batcher, 1)
    await turns()
    calls(batcher, 2, 3)
    await turns()
    with pytest.raises(Overloaded):
        await batcher.submit(4)
    await station.land()
    await station.land()
    assert station.flights == [[1], [2, 3]]
    assert metrics.registry.get_sample_value("turnpike_batch_refused_total", {"batch": "full"}) == 1


async def test_a_queue_that_emptied_takes_items_again(station):
    batcher = Batcher(station.send, name="test", max_waiting=1)
    calls(batcher, 1)
    await turns()
    calls(batcher, 2)
    await turns()
    await station.land()
    (again,) = calls(batcher, 3)
    await turns()
    await station.land()
    await station.land()
    assert await again == -3


async def test_drain_waits_for_all_that_was_taken(station):
    batcher = Batcher(station.send, name="test", max_batch=1)
    waiting = calls(batcher, 1, 2)
    await turns()
    drained = asyncio.create_task(batcher.drain())
    await station.land()
    assert not drained.done()
    await station.land()
    await asyncio.wait_for(drained, 1)
    assert all(call.done() for call in waiting)


async def test_a_cancelled_drain_cancels_no_flight(station):
    batcher = Batcher(station.send, name="test")
    (call,) = calls(batcher, 1)
    await turns()
    drained = asyncio.create_task(batcher.drain())
    await turns()
    drained.cancel()
    await turns()
    await station.land()
    assert await call == -1


async def test_close_finishes_what_was_taken_and_takes_no_more(station):
    batcher = Batcher(station.send, name="test")
    (call,) = calls(batcher, 1)
    await turns()
    closed = asyncio.create_task(batcher.close())
    await turns()
    with pytest.raises(Overloaded):
        await batcher.submit(2)
    await station.land()
    await asyncio.wait_for(closed, 1)
    assert await call == -1
    assert station.flights == [[1]]


async def test_draining_an_idle_batcher_returns_at_once(station):
    await asyncio.wait_for(Batcher(station.send, name="test").drain(), 1)


async def test_a_flight_carries_no_callers_context():
    seen = []

    async def send(items: list[int]) -> list[int]:
        seen.append(request.get())
        return items

    request.set("req_1")
    await Batcher(send, name="test").submit(1)
    assert seen == ["nobody's"]


async def test_a_cancellation_inside_the_sender_is_that_flights_error_and_the_next_one_leaves(station):
    batcher = Batcher(station.send, name="test")
    (first,) = calls(batcher, 1)
    await turns()
    (second,) = calls(batcher, 2)
    await turns()
    station._gates.pop(0).cancel()
    await turns()
    await station.land()
    with pytest.raises(Overloaded):
        await first
    assert await second == -2


async def test_a_cancelled_flight_leaves_no_caller_hanging(station):
    batcher = Batcher(station.send, name="test")
    waiting = calls(batcher, 1)
    await turns()
    waiting += calls(batcher, 2)
    await turns()
    stop_flights(batcher)
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Overloaded, Overloaded]


async def test_a_flight_cancelled_before_it_left_blocks_nobody(station):
    batcher = Batcher(station.send, name="test")
    (first,) = calls(batcher, 1)
    await turns(1)
    stop_flights(batcher)
    with pytest.raises(Overloaded):
        await first
    (second,) = calls(batcher, 2)
    await turns()
    await station.land()
    assert await second == -2
    assert station.flights == [[2]]


def test_thousands_of_calls_all_get_their_own_result(run):
    async def send(items: list[int]) -> list[int]:
        await asyncio.sleep(0)
        return [item * 2 for item in items]

    async def story() -> None:
        batcher = Batcher(send, name="test", max_batch=64, flights=3)
        results = await asyncio.gather(*(batcher.submit(item) for item in range(5000)))
        assert results == [item * 2 for item in range(5000)]
        assert (batcher.items_sent, batcher.largest_batch, batcher.waiting) == (5000, 64, 0)
        await batcher.drain()
        assert batcher.under_way == 0

    run(story())


async def test_counters_tell_what_travelled(station):
    batcher = Batcher(station.send, name="counted")
    calls(batcher, 1, 2, 3)
    await turns()
    calls(batcher, 4)
    await turns()
    assert (batcher.waiting, batcher.under_way) == (1, 1)
    await station.land()
    await station.land()
    assert (batcher.flights_sent, batcher.items_sent, batcher.largest_batch) == (2, 4, 3)
    assert metrics.registry.get_sample_value("turnpike_batch_size_sum", {"batch": "counted"}) == 4


async def test_a_stall_shows_in_the_gauge_of_waiting_items(station):
    batcher = Batcher(station.send, name="stalled")
    calls(batcher, 0)
    await turns()
    waiting = calls(batcher, *range(1, 201))
    await turns()
    assert metrics.registry.get_sample_value("turnpike_batch_waiting", {"batch": "stalled"}) == 192
    await station.land()
    await station.land()
    await station.land()
    await asyncio.gather(*waiting)
    assert metrics.registry.get_sample_value("turnpike_batch_waiting", {"batch": "stalled"}) == 0


@pytest.mark.parametrize("bounds", [{"max_batch": 0}, {"max_waiting": 0}, {"flights": 0}])
def test_a_bound_below_one_is_refused(station, bounds):
    with pytest.raises(ValueError, match="at least 1"):
        Batcher(station.send, name="test", **bounds)
