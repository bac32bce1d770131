"""What every endpoint is: a path, a way to read a body, a unit to be charged in, and a way to say what went wrong."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import orjson

from billing.rates import Rates
from foundation.errors import PlatformError, RequestTooLarge, as_openai
from foundation.web import Header
from inference.gateway.strict_json import parse_object
from inference.gateway.wanted import Outcome, Wanted

JSON = b"application/json"
MOST_BYTES = 10 * 1024 * 1024
MOST_BYTES_WITH_MEDIA = 32 * 1024 * 1024
TOKENS = frozenset({"input", "output"})
"""The rates that a price has for an answer of tokens."""
_STREAM_HEAD: tuple[Header, ...] = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-content-type-options", b"nosniff"),
    # nginx and its kind would otherwise collect the stream.
    (b"x-accel-buffering", b"no"),
)


class Surface(ABC):
    """One endpoint. Stateless; there is one instance of each (`inference.gateway.surfaces.router`)."""

    name: ClassVar[str]
    """What usage records and metrics call it."""
    path: ClassVar[str]
    takes: ClassVar[str] = "text"
    """What a model must read for it, as the catalogue names modalities."""
    makes: ClassVar[str] = "text"
    """What a model must make for it."""
    content_type: ClassVar[bytes] = JSON
    most_bytes: ClassVar[int] = MOST_BYTES
    generates: ClassVar[bool] = True
    """Whether the answer has tokens of its own, which are bounded by `max_tokens` and charged."""
    counts_tokens: ClassVar[bool] = True
    """Whether tokens are charged at all; False where only the unit is, whatever the engine counts."""
    unit: ClassVar[str] = ""
    """The kind of price for `Wanted.quantity`; empty where tokens are all that is charged."""
    keep_alive: ClassVar[bytes] = b": keep-alive\n\n"
    """What is written into a stream while its engine thinks, so that no proxy on the way takes it for dead."""
    tells_breaks: ClassVar[bool] = True
    """Whether a stream that breaks says so in its own words; else its connection ends before the body is complete."""
    charges: ClassVar[bool] = True
    """False where using it costs nothing at any price; it is held for (nothing), limited and recorded all the same."""
    id_headers: ClassVar[tuple[bytes, ...]] = (b"x-request-id",)
    """The headers in which the request's id is told."""

    @abstractmethod
    def parse(self, body: bytes, content_type: bytes, digest: bytes) -> Wanted:
        """Check a body. Raises `InvalidRequest` that names the field at fault, and `RequestTooLarge`."""

    def is_priced(self, rates: Rates) -> bool:
        """Say whether a price is free, or charges for this endpoint.

        Where an answer has tokens of its own both of their rates are there: none is free because it was forgotten. 0
        is a rate.
        """
        kinds = rates.per_million.keys()
        if self.generates and kinds:
            return kinds >= TOKENS
        return not kinds or bool(kinds & {"requests", self.unit, *(["input"] if self.counts_tokens else ())})

    def error(self, error: PlatformError, request_id: str) -> bytes:
        """Write the body of an answer that is an error."""
        return orjson.dumps(as_openai(error))

    def error_event(self, error: PlatformError, request_id: str) -> bytes:
        """Write the last event of a stream that breaks."""
        return b"data: " + self.error(error, request_id) + b"\n\n"

    def stream_head(self, wanted: Wanted) -> tuple[Header, ...]:
        """Return the headers of a stream, its content type first."""
        return _STREAM_HEAD

    def replay(self, outcome: Outcome, *, streamed: bool) -> bytes:
        """Write the answer to a repeated request: what the first one used. Its content was never kept."""
        body = whole_replay(outcome)
        return b"data: " + body + b"\n\ndata: [DONE]\n\n" if streamed else body


class JsonSurface(Surface):
    """An endpoint that takes a JSON object."""

    media_marks: ClassVar[tuple[bytes, ...]] = ()
    """What a body has that carries media, and so may be larger."""

    def parse(self, body: bytes, content_type: bytes, digest: bytes) -> Wanted:
        """Parse the object, then its fields."""
        # Looked at before it is parsed: what is too large must not cost what parsing it costs.
        if len(body) > MOST_BYTES and not any(mark in body for mark in self.media_marks):
            raise RequestTooLarge(f"A request without media is at most {MOST_BYTES} bytes.")
        return self.read(parse_object(body), len(body), digest)

    @abstractmethod
    def read(self, value: dict[str, Any], size: int, digest: bytes) -> Wanted:
        """Check the fields of a body of `size` bytes."""


def whole_replay(outcome: Outcome) -> bytes:
    """Write what a request used as an object of its own."""
    return orjson.dumps({"id": outcome.request_id, "model": outcome.model, "usage": openai_usage(outcome)})


def openai_usage(outcome: Outcome) -> dict[str, Any]:
    """Write what a request used as OpenAI does."""
    return {
        "prompt_tokens": outcome.prompt_tokens,
        "completion_tokens": outcome.completion_tokens,
        "total_tokens": outcome.prompt_tokens + outcome.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": outcome.cached_tokens},
    }
