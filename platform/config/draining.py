"""Draining: from the announcement of its end on, a server takes no new inference and lets what runs come to its end.

Granian does not tell the application about SIGTERM. In a worker it answers SIGTERM and SIGINT alike: the listening
socket closes, open requests go on without any limit of time, then `lifespan.shutdown` is sent. So the application takes
SIGTERM for itself (Granian sets its handlers before `lifespan.startup`), and hands on by SIGINT when it has drained:

1. SIGTERM, or `announce()` from the pre-stop endpoint: /readyz fails, new inference is refused with 503 `draining`.
2. After SIGTERM: the gateway lets its requests run for at most DRAIN_SECONDS, ends the rest in-band, settles them all.
3. SIGINT to itself: Granian stops listening, closes idle connections, waits for pages still being answered, and leaves.
"""

import asyncio
import mmap
import multiprocessing
import os
import signal
from collections.abc import Awaitable, Callable

from foundation import logs

log = logs.get(__name__)

PARENT_WATCH_SECONDS = 1.0
# What the gateway may overrun its own limit by before it is left behind: a settlement that Postgres does not answer.
OVERRUN_SECONDS = 10.0

# One byte, shared with the workers that config/server.py forks: the pre-stop call reaches only one of them.
_announced = mmap.mmap(-1, 1)


class Drain:
    """The drain of one process."""

    def __init__(self, finish: Callable[[float], Awaitable[None]], *, seconds: float) -> None:
        """Take how to finish what runs within a number of seconds, and that number."""
        self._finish = finish
        self._seconds = seconds
        self._begun = False
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def refusing(self) -> bool:
        """Whether new work has to go elsewhere."""
        return self._begun or _announced[0] != 0

    def announce(self) -> None:
        """Refuse new work in every worker of this server; it ends with the SIGTERM that follows."""
        _announced[0] = 1
        log.info("drain_announced")

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
        log.info("drain_started", limit=self._seconds)
        self._start(self._run())

    async def _run(self) -> None:
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
