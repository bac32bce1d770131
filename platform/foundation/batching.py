"""The micro-batcher: calls that arrive while a round trip is under way travel together as the next one.

Alone, a call goes at once; under load, one Valkey script or one Postgres transaction serves dozens of callers, so the
cost of each falls as load rises and nobody waits for a timer. One batcher belongs to one event loop.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextvars import Context
from itertools import repeat

from foundation import metrics
from foundation.errors import Overloaded, PlatformError

type Seats[Item, Result] = list[tuple[Item, asyncio.Future[Result]]]

# The gauge follows the queue in steps of this size: a stall shows, and an ordinary call does not pay for it.
_GAUGE_STEP = 64


class Batcher[Item, Result]:
    """Collects single calls into flights of `send`, which takes a list of items and returns a result for each.

    * Results belong to items by position. An `Exception` in a position is raised to that caller alone.
    * What `send` raises is raised to every caller of that flight (the same object), and to no other. A number of
      results that differs from the number of items is a `PlatformError` to every caller of that flight.
    * An item that `submit` took is sent exactly once, whatever becomes of its caller: a cancelled caller, whose
      result is dropped, cannot know whether its item had left, so it is not taken back even while it still waits.
    * Flights run in tasks of their own that no caller can cancel, in an empty context: no request's id sticks to them.
    * `send` sets its own time limits; a batcher waits for it as long as it takes.

    For metrics: `waiting`, `under_way`, and the counters `flights_sent`, `items_sent` and `largest_batch`.
    """

    def __init__(
        self,
        send: Callable[[list[Item]], Awaitable[Sequence[Result | Exception]]],
        *,
        name: str,
        max_batch: int = 128,
        max_waiting: int = 10_000,
        flights: int = 1,
    ) -> None:
        """Name the batcher for metrics; bound a flight, the queue, and how many flights are under way at once."""
        if min(max_batch, max_waiting, flights) < 1:
            raise ValueError("max_batch, max_waiting and flights are at least 1")
        self.name = name
        self.flights_sent = self.items_sent = self.largest_batch = 0
        self._send = send
        self._max_batch, self._max_waiting, self._max_flights = max_batch, max_waiting, flights
        self._queue: Seats[Item, Result] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._boarding = self._closed = False
        self._size_seen = metrics.batch_size(name)
        self._waiting_seen = metrics.batch_waiting(name)

    @property
    def waiting(self) -> int:
        """How many items wait for a flight."""
        return len(self._queue)

    @property
    def under_way(self) -> int:
        """How many flights are under way."""
        return len(self._tasks)

    async def submit(self, item: Item) -> Result:
        """Send an item with the next flight and return its result.

        Raises `Overloaded`, without taking the item, when `max_waiting` items wait already or the batcher is closed.
        """
        return await self.enqueue(item)

    def enqueue(self, item: Item) -> asyncio.Future[Result]:
        """Take an item for the next flight and return the future of its result: `submit` for who waits for several.

        Whoever calls this awaits the future. Raises as `submit` does.
        """
        waiting = len(self._queue)
        if waiting >= self._max_waiting or self._closed:
            metrics.batch_refused(self.name).inc()
            raise Overloaded(retry_after=1)
        if waiting and not waiting % _GAUGE_STEP:
            self._waiting_seen.set(waiting)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._queue.append((item, future))
        if not self._boarding and len(self._tasks) < self._max_flights:
            self._depart(loop)
        return future

    async def drain(self) -> None:
        """Wait until nothing waits and nothing is under way; new items are still taken, and waited for too."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self) -> None:
        """Take no more items, then wait for all that were taken."""
        self._closed = True
        await self.drain()

    def _depart(self, loop: asyncio.AbstractEventLoop) -> None:
        # The task boards when it starts, not here: calls made in the same turn of the loop travel together.
        self._boarding = True
        task = loop.create_task(self._fly(), name=f"batch-{self.name}", context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._landed)

    async def _fly(self) -> None:
        self._boarding = False
        while self._queue:
            seats = self._board()
            if self._queue and not self._boarding and len(self._tasks) < self._max_flights:
                self._depart(asyncio.get_running_loop())
            await self._carry(seats)

    def _board(self) -> Seats[Item, Result]:
        if len(self._queue) <= self._max_batch:
            seats, self._queue = self._queue, []
        else:
            seats = self._queue[: self._max_batch]
            del self._queue[: self._max_batch]
        size = len(seats)
        self.flights_sent += 1
        self.items_sent += size
        self.largest_batch = max(self.largest_batch, size)
        self._size_seen.observe(size)
        self._waiting_seen.set(len(self._queue))
        return seats

    async def _carry(self, seats: Seats[Item, Result]) -> None:
        try:
            results = await self._send([item for item, _ in seats])
            self._check(results, seats)
        except Exception as error:  # noqa: BLE001 - the boundary of a flight: its callers get whatever its sender raised
            _deliver(seats, repeat(error))
        except BaseException as stop:
            _deliver(seats, repeat(_stopped(stop)))
            if not isinstance(stop, asyncio.CancelledError) or _is_cancelled():
                raise
            # Otherwise something inside `send` was cancelled, not this task: the next flight may leave.
        else:
            _deliver(seats, results)

    def _check(self, results: Sequence[object], seats: Seats[Item, Result]) -> None:
        if len(results) != len(seats):
            raise PlatformError from ValueError(f"{self.name}: {len(results)} results for {len(seats)} items")

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or task.exception() is not None:
            # The loop is being shut down. Nothing will leave any more, so nobody may be left waiting.
            self._boarding = False
            seats, self._queue = self._queue, []
            _deliver(seats, repeat(_stopped(asyncio.CancelledError())))
        elif self._queue and not self._boarding:
            # An item arrived between the task's last look at the queue and its end.
            self._depart(task.get_loop())


def _deliver[Item, Result](seats: Seats[Item, Result], results: Iterable[Result | Exception]) -> None:
    for (_, future), result in zip(seats, results, strict=False):
        if future.done():  # Its caller was cancelled.
            continue
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)


def _stopped(cause: BaseException) -> Overloaded:
    # A bare CancelledError would make a caller believe that it was cancelled itself.
    error = Overloaded("The service is stopping. Try again in a moment.", retry_after=1)
    error.__cause__ = cause
    return error


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
