"""A streamed answer: headers at once, the role and the first token together, then a token at a time."""

from collections.abc import Callable
from functools import partial

from inference.simulator import framing
from inference.simulator.dialects import EVENTS, Streamed
from inference.simulator.engine import Engine
from inference.simulator.framing import Framing
from inference.simulator.generation import Generation
from inference.simulator.jobs import Job
from inference.simulator.outlet import Outlet
from inference.simulator.witness import Ended, Record

_BATCH = 64
"""How many events an answer without gaps puts into one write before others have their turn."""


class StreamedAnswer(Generation):
    """Writes the events of one stream, each when it is due."""

    def __init__(
        self, engine: Engine, dialect: Streamed, job: Job, record: Record, outlet: Outlet, done: Callable[[], None]
    ) -> None:
        super().__init__(engine, dialect, job, record, outlet, done)
        self._events = dialect.events(self.answer)
        self._framing = Framing(job.directive, events=self._events.content_type == EVENTS)
        self._stop = self._total if self._fault is None else max(0, self._fault.after)
        self._stride = _BATCH if self._eager else len(job.choices)

    def _accept(self) -> None:
        if self._fault is None or self._fault.after >= 0:
            self.outlet.write(self._head(200, self._events.content_type, None, self.dialect.headers(self.answer)))
            if self.job.directive.bad_gzip:
                self.outlet.write(framing.chunk(framing.BAD_GZIP))
        super()._accept()

    def _first(self) -> None:
        if self._fault is not None and (self._fault.after < 0 or self._fault == ("error", 0)):
            self._fail(self._fault)
            return
        self._write(self._events.opening())
        self._step()

    def _step(self) -> None:
        start = self._generated
        stop = min(start + self._stride, self._stop)
        self._write(self._events.content(start, stop))
        self._advance(stop - start)
        self.record.completion_tokens = self._tokens(stop)
        if self._fault is not None and stop == self._stop:
            self.outlet.flush()
            self.outlet.when_drained(partial(self._fail, self._fault))
        elif stop < self._total:
            self._later(self._step)
        elif self._eager:
            self._finish()
        else:
            self._later(self._finish)

    def _finish(self) -> None:
        self._write(self._events.finishes())
        self._write(self._events.usages())
        self._conclude("complete")

    def _error(self) -> None:
        told = self._events.error("The simulated engine failed, as its directive asked.")
        if not told:
            self._close("error")
            self.outlet.close()
            return
        self._write(told)
        self._conclude("error")

    def _conclude(self, ended: Ended) -> None:
        self._write(self._events.dones())
        self._send([framing.END])
        self.outlet.flush()
        self.outlet.when_drained(partial(self._end, ended))

    def _later(self, callback: Callable[[], None]) -> None:
        """Go on after the gap, but not before the reader has taken what was written."""
        self.outlet.flush()
        self.outlet.when_drained(partial(self._arm, callback, self._gap()))

    def _arm(self, callback: Callable[[], None], gap: float) -> None:
        if self._eager:
            self._timer = self.engine.loop.call_soon(self._turn, callback)
        else:
            self._after(gap, callback)

    def _write(self, events: list[bytes]) -> None:
        self._send(self._framing.frames(events))

    def _send(self, frames: list[bytes]) -> None:
        if self.job.directive.split is not None:
            self.outlet.write_pieces(frames)
            return
        for frame in frames:
            self.outlet.write(frame)
