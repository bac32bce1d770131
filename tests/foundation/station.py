"""A stand-in for what a micro-batcher sends to: its flights leave, and land when the test says so."""

import asyncio
from collections.abc import Callable

from foundation.batching import Batcher

type Answer = Callable[[list[int]], list[int | Exception]]


def negated(items: list[int]) -> list[int | Exception]:
    return [-item for item in items]


class Station:
    """A sender whose flights leave and wait until the test lets them land."""

    def __init__(self) -> None:
        self.flights: list[list[int]] = []
        self.under_way = self.most_under_way = 0
        self.gates: list[asyncio.Future[Answer]] = []

    async def send(self, items: list[int]) -> list[int | Exception]:
        self.flights.append(items)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        gate: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.gates.append(gate)
        try:
            return (await gate)(items)
        finally:
            self.under_way -= 1

    async def land(self, answer: Answer = negated):
        self.gates.pop(0).set_result(answer)
        await turns()


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def calls(batcher: Batcher[int, int], *items: int) -> list[asyncio.Task[int]]:
    return [asyncio.create_task(batcher.submit(item)) for item in items]
