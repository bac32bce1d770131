"""Draining: from the announcement of its end on, a server takes no new inference and lets what runs come to its end.

Granian does not tell the application about SIGTERM. In a worker it answers SIGTERM and SIGINT alike: the listening
socket closes, open requests go on without any limit of time, then `lifespan.shutdown` is sent. So the application takes
SIGTERM for itself (Granian sets its handlers before `lifespan.startup`), and hands on by SIGINT when it has drained:

1. SIGTERM, or `announce()` from the pre-stop endpoint: /readyz fails. For DRAIN_NOTICE_SECONDS, until balancers have
   noticed, new inference is still served, and each answer closes its connection; then it is refused with `draining`.
2. After SIGTERM and the notice: the gateway lets its requests run for at most DRAIN_SECONDS, ends the rest in-band,
   settles them all.
3. SIGINT to itself: Granian stops listening, closes idle connections, waits for pages still being answered, and leaves.
"""

import asyncio
import mmap
import multiprocessing
import os
import signal
import struct
import time
from collections.abc import Awaitable, Callable

from foundation import logs

log = logs.get(__name__)

PARENT_WATCH_SECONDS = 1.0
# What the gateway may overrun its own limit by before it is left behind: a settlement that Postgres does not answer.
OVERRUN_SECONDS = 10.0

# When the end was announced, on the monotonic clock of all processes of this machine; 0 before. Shared with the workers
# that config/server.py forks: the pre-stop call reaches only one of them.
_INSTANT = struct.Struct("d")
_announced = mmap.mmap(-1, _INSTANT.size)


class Drain:
    """The drain of one process."""

    def __init__(
        self, finish: Callable[[float], Awaitable[None]], *, seconds: float, notice_seconds: float = 0.0
    ) -> None:
        """Take how to finish what runs within so many seconds, and for how many more new work is still taken."""
        self._finish = finish
        self._seconds = seconds
        self._notice_seconds = notice_seconds
        self._begun = False
        self._begun_at = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def leaving(self) -> bool:
        """Whether the end is known, and nobody should send new work here."""
        return self._begun or _announced_at() > 0

    @property
    def refusing(self) -> bool:
        """Whether new work has to go elsewhere."""
        return self.leaving and self._notice_left() <= 0

    def announce(self) -> None:
        """Make every worker of this server leave; it ends with the SIGTERM that follows. The first call counts."""
        if not _announced_at():
            _INSTANT.pack_into(_announced, 0, time.monotonic())
        log.info("drain_announced", notice=self._notice_seconds)

    def _notice_left(self) -> float:
        return (_announced_at() or self._begun_at) + self._notice_seconds - time.monotonic()

    def install(self) -> None:
        """Take SIGTERM, and the death of the server's main process, as the order to drain. Call it on the loop."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.begin)
        if multiprocessing.parent_process() is not None:
            self._start(self._watch_parent(os.getppid()))

    def begin(self) -> None:
        """Refuse new work, finish what runs, then let the server end this process. A second call changes nothing."""
        if self._begun:
            return
        self._begun = True
        # Of this process alone: on SIGHUP its fellows stay.
        self._begun_at = time.monotonic()
        log.info("drain_started", limit=self._seconds)
        self._start(self._run())

    async def _run(self) -> None:
        await asyncio.sleep(max(0.0, self._notice_left()))
        try:
            async with asyncio.timeout(self._seconds + OVERRUN_SECONDS):
                await self._finish(self._seconds)
            log.info("drain_finished")
        except TimeoutError:
            log.warning("drain_overran", limit=self._seconds)
        except Exception:  # The boundary to the server: whatever failed in the gateway, the process has to end.
            log.exception("drain_failed")
        signal.raise_signal(signal.SIGINT)

    async def _watch_parent(self, parent: int) -> None:
        # A worker outlives a main process that was killed, and would keep the port; nobody would ever stop it.
        while os.getppid() == parent:  # noqa: ASYNC110 - nothing sends an event when a parent is killed
            await asyncio.sleep(PARENT_WATCH_SECONDS)
        log.warning("server_lost_its_main_process")
        self.begin()

    def _start(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _announced_at() -> float:
    instant: float = _INSTANT.unpack_from(_announced)[0]
    return instant
