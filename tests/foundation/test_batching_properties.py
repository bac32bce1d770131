"""Whatever callers and flights do, in whatever order: the promises of the micro-batcher, by hypothesis."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as some

from foundation.batching import Batcher
from foundation.errors import Overloaded, PlatformError

ENDINGS = ["right", "raise", "short", "long", "mixed", "cancel"]
STEP = some.one_of(
    some.tuples(some.just("submit"), some.integers(1, 5)),
    some.tuples(some.just("leave"), some.integers(0, 50)),
    some.tuples(some.just("turn"), some.integers(1, 3)),
    some.tuples(some.just("land"), some.sampled_from(ENDINGS)),
)


class Storm(Exception):
    pass


@dataclass
class World:
    """One run: a sender that the story lands, its callers, and what became of each."""

    max_batch: int
    max_waiting: int
    flights: int
    sent: list[int] = field(default_factory=list)
    fate: dict[int, str] = field(default_factory=dict)
    callers: dict[int, asyncio.Task[int]] = field(default_factory=dict)
    gates: list[asyncio.Future[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        bounds = {"max_batch": self.max_batch, "max_waiting": self.max_waiting, "flights": self.flights}
        self.batcher: Batcher[int, int] = Batcher(self.send, name="world", **bounds)

    async def send(self, items: list[int]) -> list[int | Exception]:
        assert 1 <= len(items) <= self.max_batch
        gate: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.gates.append(gate)
        assert len(self.gates) <= self.flights
        self.sent += items
        try:
            ending = await gate
        except asyncio.CancelledError:
            self.fate |= dict.fromkeys(items, "cancel")
            raise
        finally:
            self.gates.remove(gate)
        self.fate |= dict.fromkeys(items, ending)
        return self.answer(ending, items)

    def answer(self, ending: str, items: list[int]) -> list[int | Exception]:
        if ending == "raise":
            raise Storm
        results: list[int | Exception] = [-item for item in items]
        if ending == "mixed":
            results = [Storm() if item % 2 else -item for item in items]
        return {"short": results[1:], "long": [*results, 0]}.get(ending, results)

    async def play(self, steps: list[tuple[str, int | str]]) -> None:
        for kind, detail in steps:
            await getattr(self, kind)(detail)
            assert self.batcher.waiting <= self.max_waiting
        for _ in range(5 * len(self.callers) + 5):
            await self.land("right")
            await self.turn(3)
        assert all(caller.done() for caller in self.callers.values())
        await asyncio.wait_for(self.batcher.close(), 1)

    async def submit(self, count: int) -> None:
        for _ in range(count):
            item = len(self.callers)
            self.callers[item] = asyncio.create_task(self.batcher.submit(item))

    async def leave(self, which: int) -> None:
        if self.callers:
            self.callers[which % len(self.callers)].cancel()

    async def turn(self, count: int) -> None:
        for _ in range(count):
            await asyncio.sleep(0)

    async def land(self, ending: str) -> None:
        if self.gates and not self.gates[0].done():
            self.gates[0].cancel() if ending == "cancel" else self.gates[0].set_result(ending)


def check(item: int, caller: asyncio.Task[int], fate: str | None) -> None:
    if caller.cancelled():
        return
    error = caller.exception()
    match fate:
        case None:
            assert isinstance(error, Overloaded)
        case "raise":
            assert isinstance(error, Storm)
        case "mixed" if item % 2:
            assert isinstance(error, Storm)
        case "short" | "long":
            assert type(error) is PlatformError
        case "cancel":
            assert isinstance(error, Overloaded)
        case _:
            assert caller.result() == -item


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
@given(some.integers(1, 4), some.integers(1, 8), some.integers(1, 3), some.lists(STEP, max_size=60))
def test_every_item_taken_is_sent_once_and_answered_to_its_caller(
    new_loop: Callable[[], asyncio.AbstractEventLoop], max_batch, max_waiting, flights, steps
):
    async def story() -> World:
        world = World(max_batch, max_waiting, flights)
        await world.play(steps)
        return world

    with asyncio.Runner(loop_factory=new_loop) as runner:
        world = runner.run(story())
    assert len(world.sent) == len(set(world.sent)) == world.batcher.items_sent
    assert world.sent == sorted(world.sent)
    for item, caller in world.callers.items():
        check(item, caller, world.fate.get(item))
