"""One request in the engine, from its arrival to its end, whatever the form of its answer."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable

from inference.simulator.dialects import Answer, Dialect
from inference.simulator.directives import Fault
from inference.simulator.engine import Engine
from inference.simulator.jobs import Job
from inference.simulator.metrics import FinishedReason
from inference.simulator.outlet import Outlet
from inference.simulator.protocol import response_head
from inference.simulator.witness import Ended, Record


class Generation(ABC):
    """What a streamed and a whole answer have in common: place, time, faults, books."""

    def __init__(
        self, engine: Engine, dialect: Dialect, job: Job, record: Record, outlet: Outlet, done: Callable[[], None]
    ) -> None:
        self.engine = engine
        self.dialect = dialect
        self.job = job
        self.record = record
        self.outlet = outlet
        self._done = done
        self._total = job.tokens * len(job.choices)
        self._fault = self._reachable(job.directive.fault)
        self._eager = self._gap() == 0
        self._timer: asyncio.Handle | None = None
        self._arrived = self._due = engine.loop.time()
        self._began: float | None = None
        self._last_token_at = 0.0
        self._generated = 0
        """Content tokens so far, all choices together; or items."""

    def accept(self) -> None:
        """Take the request in; it begins when the engine has a place."""
        self._turn(self._accept)

    def begin(self) -> None:
        """The engine has a place: start the prefill."""
        self._turn(self._prefill)

    def _prefill(self) -> None:
        job, engine = self.job, self.engine
        self.record.running = engine.running
        job.cached_tokens = sum(
            engine.prefix_cache.look_up(prompt.content, prompt.tokens, job.cache_salt) for prompt in job.prompts
        )
        self.record.cached_tokens = job.cached_tokens
        engine.metrics.prompt_tokens += job.prompt_tokens
        engine.metrics.cached_tokens += job.cached_tokens
        self._began = self._due = engine.loop.time()
        engine.metrics.queued.observe(self._began - self._arrived)
        directive = job.directive
        uncached = job.prompt_tokens - job.cached_tokens
        delay = engine.latency.ttft(uncached) if directive.ttft is None else directive.ttft / 1000
        self._after(delay, self._first_token)

    @property
    def tokens_held(self) -> int:
        """Prompt and completion so far."""
        return self.job.prompt_tokens + self._generated

    @property
    def answer(self) -> Answer:
        """What the dialect writes."""
        return Answer(self.job, self.record.id, self.engine.options.model)

    def client_gone(self) -> None:
        """The client left: give the place back at once. Does nothing after the end."""
        if self.record.ended_at is None:
            self._close("client_gone")

    def _accept(self) -> None:
        self.engine.admit(self)

    def _first_token(self) -> None:
        self.engine.metrics.first_token.observe(self.engine.loop.time() - self._arrived)
        self._first()

    @abstractmethod
    def _first(self) -> None:
        """The first token is there."""

    @abstractmethod
    def _error(self) -> None:
        """Tell the client that the engine failed."""

    def _fail(self, fault: Fault) -> None:
        """Do the damage that the directive asks for."""
        if fault.kind == "hang":
            self.record.ended = "hung"
        elif fault.kind == "die":
            self._close("died")
            self.outlet.close()
        elif fault.kind == "reset":
            self._close("reset")
            self.outlet.reset()
        else:
            self._error()

    def _end(self, ended: Ended) -> None:
        """The answer has been written to its end; the connection may go on."""
        self._close(ended)
        self._done()

    def _close(self, ended: Ended) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        engine = self.engine
        engine.witness.close(self.record, ended)
        engine.leave(self)
        if ended != "status":
            self._count(ended)

    def _count(self, ended: Ended) -> None:
        metrics, job, now = self.engine.metrics, self.job, self.engine.loop.time()
        reason: FinishedReason = "length" if job.finish_reason == "length" else "stop"
        metrics.finished[reason if ended == "complete" else "error" if ended == "error" else "abort"] += 1
        metrics.end_to_end.observe(now - self._arrived)
        metrics.request_prompt_tokens.observe(job.prompt_tokens)
        metrics.request_generation_tokens.observe(self._tokens(self._generated))
        metrics.params_n.observe(job.n)
        metrics.params_max_tokens.observe(job.max_tokens)
        if self._began is not None:
            metrics.inference.observe(now - self._began)

    def _advance(self, tokens: int) -> None:
        """So many more tokens are there, the last of them now."""
        now = self.engine.loop.time()
        if self._generated and tokens:
            self.engine.metrics.inter_token.observe((now - self._last_token_at) / tokens, tokens)
        self._last_token_at = now
        self._generated += tokens
        self.engine.metrics.generation_tokens += self._tokens(tokens)

    def _tokens(self, made: int) -> int:
        """How many tokens that is: vectors and pictures are none."""
        return made if self.job.generates else 0

    def _gap(self) -> float:
        """Seconds to the next token."""
        gap = self.job.directive.gap
        if gap is None and not self.job.generates:
            return 0.0
        return self.engine.latency.gap(self.engine.running) if gap is None else gap / 1000

    def _reachable(self, fault: Fault | None) -> Fault | None:
        return fault if fault is not None and fault.after <= self._total else None

    def _after(self, delay: float, callback: Callable[[], None]) -> None:
        """Call back `delay` seconds after the moment that was due last, so that lateness does not add up."""
        if delay <= 0:
            callback()
            return
        self._due += delay
        self._timer = self.engine.loop.call_at(self._due, self._turn, callback)

    def _turn(self, callback: Callable[[], None]) -> None:
        """One turn of the event loop; an answer without gaps goes out as one write for each."""
        if self._eager:
            self.outlet.cork()
        callback()
        self.outlet.flush()

    def _head(self, status: int, content_type: bytes, length: int | None, extra: bytes = b"") -> bytes:
        if self.engine.options.engine == "vllm":  # as with its flag --enable-request-id-headers
            extra += b"x-request-id: %s\r\n" % (self.record.request_id or self.record.id).encode("latin-1")
        if self.job.directive.set_cookie:
            extra += b"set-cookie: provider_session=5f1d; Path=/; HttpOnly\r\n"
        if self.job.directive.bad_gzip:
            extra += b"content-encoding: gzip\r\n"
        return response_head(status, content_type, length, extra)
