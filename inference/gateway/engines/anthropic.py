"""Anthropic's API: messages as they are, chat completions by translation (its public reference, version 2023-06-01).

It tells its output only at the end of a message, and its deltas have several tokens each. So a client who leaves pays
for the input that the engine told, and for the output by our own estimate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from foundation import clock
from inference.gateway.catalogue import Pool
from inference.gateway.engines.anthropic_wires import MESSAGES, NativeCount, NativeMessages, likely_tokens
from inference.gateway.engines.message_streams import Metered, events, openai_usage
from inference.gateway.engines.openai_wires import DONE, parsed
from inference.gateway.engines.parameters import Parameters
from inference.gateway.engines.wire import EVENT_STREAM, JSON, MISSHAPEN, Call, Engine, Passage, Stream, Whole
from inference.gateway.errors import UpstreamError
from inference.gateway.streams import split_at_error
from inference.gateway.translation.claude_answer import completion
from inference.gateway.translation.claude_events import ChatChunks
from inference.gateway.translation.claude_request import message_request

if TYPE_CHECKING:
    from inference.gateway.orders import Order

VERSION = "2023-06-01"
# Tools come by translation, as do the forms that `translation/claude_request.py` knows.
_SHAPES = frozenset({"tools", "tool_choice", "parallel_tool_calls", "response_format", "reasoning_effort"})
_CHAT = Parameters.of(_SHAPES | {"temperature", "top_p", "top_k", "stop"})


class Chat:
    """Chat completions, put to Claude as messages."""

    def call(self, order: Order, upstream_name: str) -> Call:
        """Ask for a message."""
        body = message_request(order.wanted.fields) | {"model": upstream_name, "max_tokens": order.bound.max_tokens}
        return Call(MESSAGES, orjson.dumps(body), (EVENT_STREAM if order.wanted.stream else JSON,))

    def stream(self, order: Order) -> Stream:
        """Tell events as chunks."""
        return ChatStream(order)

    def whole(self, order: Order, body: bytes, content_type: str) -> Whole:
        """Write a message as a chat completion."""
        message = parsed(body, "content")
        usage = openai_usage(message.get("usage"))
        try:
            answer = completion(message, usage, model=order.model.id, created=_now())
        except MISSHAPEN as cause:
            raise UpstreamError from cause
        return Whole(orjson.dumps(answer), usage, likely_tokens(message["content"]))


class ChatStream(Metered):
    """A message on its way to a client of chat."""

    def __init__(self, order: Order) -> None:
        super().__init__(many_a_piece=True)
        wanted = order.wanted
        self._chunks = ChatChunks(
            model=order.model.id,
            created=_now(),
            include_usage=wanted.include_usage,
            continuous_usage=wanted.continuous_usage,
        )

    def feed(self, chunk: bytes) -> Passage:
        """Tell what came, up to the end of the message or an error."""
        told: list[bytes] = []
        block, broken = split_at_error(self._blocks.feed(chunk))
        for raw, event in events(block):
            if event.get("type") == "error":
                return Passage(b"".join(told), b"", broken=True)
            if event.get("type") == "message_stop":
                return Passage(b"".join(told) + self._chunks.last(self.usage()), DONE)
            try:
                self._meter.take(raw, event)
                told.append(self._chunks.event(event, self.usage()))
            except MISSHAPEN as cause:
                raise UpstreamError from cause
        return Passage(b"".join(told), b"", broken)

    def finish(self) -> bytes:
        """An engine that told why its message ended has only forgotten to say that it is over."""
        return self._chunks.last(self.usage()) + DONE if self._chunks.finished else b""


class Anthropic(Engine):
    """Anthropic's API, or another one that is like it."""

    kind = "anthropic"
    parameters = {"chat.completions": _CHAT}
    health = "/v1/models"
    foreign = True
    wires = {
        "chat.completions": Chat(),
        "messages": NativeMessages(many_a_piece=True),
        "messages.count_tokens": NativeCount(),
    }

    def headers(self, pool: Pool) -> tuple[tuple[str, str], ...]:
        """Name the version, and show the credential as Anthropic wants it."""
        version = ("anthropic-version", VERSION)
        return (version, ("x-api-key", pool.credential)) if pool.credential else (version,)


def _now() -> int:
    return int(clock.now().timestamp())
