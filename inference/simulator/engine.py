"""The simulated engine: who runs, who waits, and what is counted about it."""

import asyncio
import itertools
import time
import uuid
from collections import deque
from typing import Protocol

from inference.simulator.latency import Latency
from inference.simulator.metrics import Gauges, Metrics
from inference.simulator.options import Options
from inference.simulator.prefix_cache import BLOCK_TOKENS, PrefixCache
from inference.simulator.witness import Witness


class Occupant(Protocol):
    """What may occupy one of the engine's places."""

    def begin(self) -> None:
        """It is this one's turn: called once, when it has a place."""

    @property
    def tokens_held(self) -> int:
        """How many tokens it keeps in the KV cache."""


class Engine:
    """Runs up to `max_num_seqs` requests at once; the others wait in order of arrival.

    A request takes one place, whatever its `n`.
    """

    def __init__(self, options: Options, loop: asyncio.AbstractEventLoop) -> None:
        self.options = options
        self.loop = loop
        self.started_at = int(time.time())
        self.latency = Latency(speed=options.speed)
        self.prefix_cache = PrefixCache()
        self.witness = Witness()
        self.metrics = Metrics(options.model, options.max_model_len)
        self._running: set[Occupant] = set()
        self._waiting: deque[Occupant] = deque()
        self._filling = False
        self._id_base = uuid.uuid4().hex[:16]
        self._ids = itertools.count()

    @property
    def running(self) -> int:
        """How many have a place."""
        return len(self._running)

    @property
    def waiting(self) -> int:
        """How many wait for one."""
        return len(self._waiting)

    def admit(self, occupant: Occupant) -> None:
        """Give a place, now or when one becomes free."""
        self._waiting.append(occupant)
        self._fill()

    def leave(self, occupant: Occupant) -> None:
        """Take back a place, or the wait for one."""
        if occupant in self._running:
            self._running.remove(occupant)
            self._fill()
        elif occupant in self._waiting:
            self._waiting.remove(occupant)

    def new_id(self) -> str:
        """An id for a request that brought none."""
        return f"{self._id_base}{next(self._ids):016x}"

    def gauges(self) -> Gauges:
        """The state of this moment."""
        held = sum(occupant.tokens_held for occupant in self._running)
        return Gauges(
            running=self.running,
            waiting=self.waiting,
            kv_cache_usage=min(1.0, held / (self.prefix_cache.blocks * BLOCK_TOKENS)),
            prefix_cache_queries=self.prefix_cache.queries,
            prefix_cache_hits=self.prefix_cache.hits,
        )

    def _fill(self) -> None:
        # An occupant may finish and leave while it begins: the flag turns that recursion into a round of the loop.
        if self._filling:
            return
        self._filling = True
        while self._waiting and len(self._running) < self.options.max_num_seqs:
            occupant = self._waiting.popleft()
            self._running.add(occupant)
            self.witness.max_running = max(self.witness.max_running, len(self._running))
            occupant.begin()
        self._filling = False
