"""OpenAI's wires, for engines that speak as OpenAI does: bytes go through, nothing is decoded and encoded again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import orjson

from inference.gateway.engines.wire import EVENT_STREAM, Call, Passage, Stream, Whole
from inference.gateway.errors import UpstreamError
from inference.gateway.estimating import LIKELY_BYTES_PER_TOKEN
from inference.gateway.streams import Blocks, Meter, Rewriter, split_at_done, split_at_error

if TYPE_CHECKING:
    from inference.gateway.orders import Order

DONE = b"data: [DONE]\n\n"
USAGE: Mapping[str, bool] = MappingProxyType({"include_usage": True})
CONTINUOUS_USAGE: Mapping[str, bool] = MappingProxyType({**USAGE, "continuous_usage_stats": True})
# Of an engine's answer, what may pass to the client.
_GENERATED = ("id", "object", "created", "model", "choices", "usage", "system_fingerprint", "service_tier")
_EMBEDDED = ("object", "data", "model", "usage")
_SPOKEN = ("content", "reasoning", "reasoning_content", "refusal", "tool_calls")


class ByteStream:
    """A stream that client and engine write in the same way: counted and renamed on its way."""

    def __init__(self, order: Order) -> None:
        wanted = order.wanted
        self._blocks = Blocks()
        self._meter = Meter(wanted.choices)
        self._rewriter = Rewriter(
            order.model.id, include_usage=wanted.include_usage, continuous_usage=wanted.continuous_usage
        )

    @property
    def outputs(self) -> int:
        """Pieces of output so far."""
        return self._meter.outputs

    @property
    def final(self) -> bool:
        """Whether the usage is the last one."""
        return self._meter.final

    def feed(self, chunk: bytes) -> Passage:
        """Take whole events up to the end marker or an error."""
        block, marker = split_at_done(self._blocks.feed(chunk))
        block, broken = split_at_error(block)
        if not block:
            return Passage(b"", marker, broken)
        self._meter.observe(block)
        return Passage(self._rewriter.rewrite(block), marker, broken)

    def finish(self) -> bytes:
        """An engine that told its usage last has only forgotten to say that it is done."""
        return DONE if self._meter.finished and self._meter.final else b""

    def usage(self) -> Any:
        """Return the latest usage."""
        return self._meter.usage()


class Generation:
    """Chat completions and completions. `body` puts the fields as the engine likes them.

    `stream_options` are what its streams are asked for, so that they tell their usage.
    """

    def __init__(
        self,
        path: str,
        body: Callable[[Order, str], dict[str, Any]] | None = None,
        *,
        stream_options: Mapping[str, bool] = USAGE,
        stream: Callable[[Order], Stream] = ByteStream,
    ) -> None:
        self._path = path
        self._body = body or fields
        self._stream_options = dict(stream_options)
        self._stream = stream

    def call(self, order: Order, upstream_name: str) -> Call:
        """Ask, and for usage with it."""
        body = self._body(order, upstream_name)
        if not order.wanted.stream:
            return Call(self._path, orjson.dumps(body))
        if self._stream_options:
            body["stream_options"] = self._stream_options
        return Call(self._path, orjson.dumps(body), (EVENT_STREAM,))

    def stream(self, order: Order) -> Stream:
        """Pass events on as bytes."""
        return self._stream(order)

    def whole(self, order: Order, body: bytes, content_type: str) -> Whole:
        """Keep what is known of an answer, under the public name."""
        answer = parsed(body, "choices")
        outputs = sum(_likely_tokens(choice) for choice in answer["choices"])
        return Whole(shown(order, answer, _GENERATED), answer.get("usage"), outputs)


class Embedding:
    """Embeddings: input only. `renamed` are the engine's own names of fields."""

    def __init__(self, **renamed: str) -> None:
        self._renamed = renamed

    def call(self, order: Order, upstream_name: str) -> Call:
        """Ask for vectors."""
        asked = {self._renamed.get(name, name): item for name, item in order.wanted.fields.items()}
        return Call("/v1/embeddings", orjson.dumps(asked | {"model": upstream_name}))

    def stream(self, order: Order) -> Stream:
        """There is no such stream."""
        raise UpstreamError

    def whole(self, order: Order, body: bytes, content_type: str) -> Whole:
        """Keep vectors and usage."""
        answer = parsed(body, "data")
        return Whole(shown(order, answer, _EMBEDDED), answer.get("usage"), 0)


def fields(order: Order, upstream_name: str) -> dict[str, Any]:
    """Return a generation's fields with the engine's name of the model and our bound on the output."""
    body = {**order.wanted.fields, "model": upstream_name, "max_tokens": order.bound.max_tokens}
    body.pop("max_completion_tokens", None)
    body.pop("stream_options", None)
    return body


def parsed(body: bytes, needed: str) -> dict[str, Any]:
    """Parse an answer that has a list by this name. Raises `UpstreamError`."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError as cause:
        raise UpstreamError from cause
    if not isinstance(answer, dict) or not isinstance(answer.get(needed), list):
        raise UpstreamError from ValueError(f"the engine's answer has no {needed}")
    return answer


def shown(order: Order, answer: dict[str, Any], names: tuple[str, ...]) -> bytes:
    """Write what a client may see of an answer, under the public name of the model."""
    return orjson.dumps({name: answer[name] for name in names if name in answer} | {"model": order.model.id})


def _likely_tokens(choice: Any) -> int:
    """Estimate the output of an engine that does not tell its usage; 0 only where there is none."""
    if not isinstance(choice, dict):
        return 0
    message = choice.get("message")
    said = [message.get(name) for name in _SPOKEN] if isinstance(message, dict) else [choice.get("text")]
    return sum(len(orjson.dumps(part)) // LIKELY_BYTES_PER_TOKEN + 1 for part in said if part)
