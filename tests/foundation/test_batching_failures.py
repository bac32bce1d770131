"""What goes wrong reaches whom it belongs to: errors, cancelled callers, a full queue, the end."""

import asyncio

import pytest

from foundation import metrics
from foundation.batching import Batcher
from foundation.errors import Overloaded, PlatformError
from tests.foundation.station import Station, calls, turns


@pytest.fixture
def station() -> Station:
    return Station()


def stop_flights(batcher: Batcher[int, int]) -> None:
    """Do what a loop does to its tasks when it is shut down."""
    for task in list(batcher._tasks):
        task.cancel()


def boom(_: list[int]) -> list[int | Exception]:
    raise ConnectionError("down")


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


async def test_a_cancellation_inside_the_sender_is_that_flights_error_and_the_next_one_leaves(station):
    batcher = Batcher(station.send, name="test")
    (first,) = calls(batcher, 1)
    await turns()
    (second,) = calls(batcher, 2)
    await turns()
    station.gates.pop(0).cancel()
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
