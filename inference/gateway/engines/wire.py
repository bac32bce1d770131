"""The protocol between the relay and an engine: one request out, one answer in, as a stream or whole."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

from foundation.errors import InvalidRequest, Overloaded, PlatformError
from inference.gateway.catalogue import Pool, Route
from inference.gateway.engines.parameters import Parameters
from inference.gateway.errors import UpstreamError

if TYPE_CHECKING:
    from inference.gateway.orders import Order

EVENT_STREAM = "text/event-stream"
JSON = "application/json"
MISSHAPEN = (AttributeError, KeyError, TypeError, ValueError, IndexError)
"""What it comes to when an engine's JSON is not of the shape that its dialect has."""
_ENGINE_REFUSES = frozenset({400, 413, 422})
_ENGINE_BUSY = frozenset({429, 503, 529})


class Call(NamedTuple):
    """What is sent: a path below the engine's root, a body, and what may come back."""

    path: str
    body: bytes
    media: tuple[str, ...] = (JSON,)
    """The content types that an answer may have, by their beginning."""
    content_type: str = JSON


class Passage(NamedTuple):
    """What a piece of a stream comes to: bytes for the client, the end marker if it came, whether the engine broke."""

    body: bytes
    marker: bytes = b""
    broken: bool = False


class Whole(NamedTuple):
    """A whole answer for the client, and what the engine says that it used, as OpenAI writes usage.

    Of an endpoint's unit (`Surface.unit`) the usage tells by its name, where the engine knows it: `seconds`, `images`.
    """

    body: bytes
    usage: Any
    outputs: int
    """Our own count of output tokens, for an engine that says nothing."""
    content_type: bytes = b"application/json"
    headers: tuple[tuple[bytes, bytes], ...] = ()
    """What a client must know of the answer beside it."""


class Stream(Protocol):
    """One engine's stream on its way to one client. Fed with bytes as they come, cut anywhere."""

    @property
    def outputs(self) -> int:
        """Count pieces of output so far; 0 means that nothing was delivered."""

    @property
    def final(self) -> bool:
        """Say whether `usage` is the engine's last word."""

    def feed(self, chunk: bytes) -> Passage:
        """Return what may go on. Raises `UpstreamError` for what is no stream."""

    def finish(self) -> bytes:
        """The engine's stream is over: return the marker it owes, or nothing if it broke off."""

    def usage(self) -> Any:
        """Return the latest usage as OpenAI writes it, or None."""


class Wire(Protocol):
    """How one endpoint is put to one kind of engine."""

    def call(self, order: Order, upstream_name: str) -> Call | None:
        """Write the engine's request: its own model name, our bound on the output, and usage always asked for.

        None where the engine need not be asked: `whole` then answers by itself, from an empty body. Raises
        `InvalidRequest` for what this kind of engine cannot be asked.
        """

    def stream(self, order: Order) -> Stream:
        """Begin to read a stream."""

    def whole(self, order: Order, body: bytes, content_type: str) -> Whole:
        """Read a whole answer. Raises `UpstreamError` for what is none."""


class Engine:
    """One kind of engine. `wires` has what it serves, by the endpoint's name."""

    kind: ClassVar[str]
    wires: Mapping[str, Wire]
    parameters: ClassVar[Mapping[str, Parameters]] = MappingProxyType({})
    """What it understands, by the endpoint's name, where that is not everything."""
    needs_template: ClassVar[bool] = False
    """Whether it knows no messages, so that only a deployment with a chat template serves chat."""
    health: ClassVar[str] = "/health"
    """Where a replica says whether it is well."""
    foreign: ClassVar[bool] = False
    """Whether it is other people's service: it has no health to ask for, so any answer but a failure will do."""

    def check(self, surface: str, asked: dict[str, Any], route: Route) -> None:
        """Raise `InvalidRequest`, which names the field, for what it cannot be asked there."""
        known = self.parameters.get(surface)
        if known is not None:
            known.check(asked)

    def headers(self, pool: Pool) -> tuple[tuple[str, str], ...]:
        """Return what the engine wants to know of us: mostly the pool's credential."""
        return (("authorization", f"Bearer {pool.credential}"),) if pool.credential else ()

    def refusal(self, status: int) -> PlatformError:
        """Say what an engine's refusal means to the client. What the engine wrote stays inside."""
        if status in _ENGINE_REFUSES:
            return InvalidRequest(
                "The model's engine refused this request. Check its fields, and that input and max_tokens fit the "
                "context."
            )
        if status in _ENGINE_BUSY:
            return Overloaded("The model's engine is overloaded. Try again shortly.", retry_after=1)
        return UpstreamError()
