"""An answer in one piece: after the time it takes to generate it, or an error status instead."""

from functools import partial

from inference.simulator import framing
from inference.simulator.bodies import JSON
from inference.simulator.generation import Generation

_STRIDE = 16
"""After so many tokens the latency model is asked again, because the batch may have grown or shrunk."""


class PlainAnswer(Generation):
    """Writes one body when all of its tokens are due."""

    def _first(self) -> None:
        choices = len(self.job.choices)
        last = self._total if self._fault is None else max(0, self._fault.after)
        self._step(-(-last // choices))

    def _step(self, left: int) -> None:
        """`left` tokens of each choice are still to come."""
        if left == 0:
            self._finish()
            return
        at_once = self.job.directive.gap is not None or not self.job.generates
        stride = left if at_once else min(left, _STRIDE)
        self._after(stride * self._gap(), partial(self._stepped, stride, left - stride))

    def _stepped(self, tokens: int, left: int) -> None:
        self._advance(min(tokens * len(self.job.choices), self._total - self._generated))
        self._step(left)

    def _finish(self) -> None:
        if self._fault is None:
            self.record.completion_tokens = self._tokens(self._total)
            body = self.dialect.whole(self.answer)
            self._respond(200, body.data(), content_type=body.content_type, extra=self.dialect.headers(self.answer))
            self.outlet.when_drained(partial(self._end, "complete"))
            return
        if self._fault.kind in ("die", "reset") and self._fault.after >= 0:
            self.record.completion_tokens = self._tokens(self._fault.after)
            body = self.dialect.whole(self.answer)
            self._respond(200, body.data(), body.data(self._fault.after), content_type=body.content_type)
        self.outlet.when_drained(partial(self._fail, self._fault))

    def _error(self) -> None:
        message = "The simulated engine failed, as its directive asked."
        status = self.dialect.failure
        self.record.status = status
        self._respond(status, self.dialect.error(status, message, "InternalServerError", None))
        self.outlet.when_drained(partial(self._end, "error"))

    def _respond(
        self, status: int, body: bytes, sent: bytes | None = None, *, extra: bytes = b"", content_type: bytes = JSON
    ) -> None:
        """Write the headers of `body`, then the body, or only the part `sent` of it."""
        directive = self.job.directive
        magic = framing.BAD_GZIP if directive.bad_gzip else b""
        head = self._head(status, content_type, len(magic) + len(body), extra)
        data = magic + (body if sent is None else sent)
        if directive.split is None:
            self.outlet.write(head + data)
        else:
            self.outlet.write(head)
            self.outlet.write_pieces(framing.cut(data, directive.split))
        self.outlet.flush()


class StatusAnswer(PlainAnswer):
    """An error status in place of an answer; it takes no place in the engine."""

    def _accept(self) -> None:
        self._after((self.job.directive.ttft or 0) / 1000, self._first)

    def _first(self) -> None:
        status = self.job.directive.status or 500
        self.record.status = status
        # A gateway that follows its engine's redirects shows in the witness as one more request.
        extra = b"location: %s\r\n" % self.dialect.endpoint.encode() if status < 400 else b""
        message = f"The simulated engine answers {status}, as its directive asked."
        self._respond(status, self.dialect.error(status, message, None, None), extra=extra)
        self.outlet.when_drained(partial(self._end, "status"))
