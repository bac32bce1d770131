import asyncio
from collections.abc import Coroutine
from contextvars import ContextVar

import pytest
import uvloop

from foundation import metrics
from foundation.batching import Batcher
from tests.foundation.station import Station, calls, turns

request = ContextVar("request", default="nobody's")


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
    station.gates.pop(0).set_result(list)
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


async def test_a_flight_carries_no_callers_context():
    seen = []

    async def send(items: list[int]) -> list[int]:
        seen.append(request.get())
        return items

    request.set("req_1")
    await Batcher(send, name="test").submit(1)
    assert seen == ["nobody's"]


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
