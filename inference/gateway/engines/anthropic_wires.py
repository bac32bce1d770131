"""Anthropic's wires, for engines that speak as Anthropic does: a message's bytes go through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from inference.gateway.engines.message_streams import MessageStream, openai_usage, shown
from inference.gateway.engines.openai_wires import parsed
from inference.gateway.engines.wire import EVENT_STREAM, JSON, Call, Stream, Whole
from inference.gateway.errors import UpstreamError
from inference.gateway.estimating import LIKELY_BYTES_PER_TOKEN

if TYPE_CHECKING:
    from inference.gateway.orders import Order

MESSAGES = "/v1/messages"
ESTIMATED = ((b"x-turnpike-estimated", b"true"),)
_NOTHING_USED = {"prompt_tokens": 0, "completion_tokens": 0}


class NativeMessages:
    """Messages before an engine that serves them.

    `many_a_piece`: its deltas have several tokens each, and it tells its output only at the end.
    """

    def __init__(self, *, many_a_piece: bool = False) -> None:
        self._many_a_piece = many_a_piece

    def call(self, order: Order, upstream_name: str) -> Call:
        """Ask. Usage always comes with a message."""
        body = {**order.wanted.fields, "model": upstream_name, "max_tokens": order.bound.max_tokens}
        media = EVENT_STREAM if order.wanted.stream else JSON
        return Call(MESSAGES, orjson.dumps(body), (media,))

    def stream(self, order: Order) -> Stream:
        """Pass events on as bytes."""
        return MessageStream(order.model.id, many_a_piece=self._many_a_piece)

    def whole(self, order: Order, body: bytes, content_type: str) -> Whole:
        """Keep what is known of a message, under the public name."""
        message = parsed(body, "content")
        usage = openai_usage(message.get("usage"))
        return Whole(orjson.dumps(shown(message, order.model.id)), usage, likely_tokens(message["content"]))


class NativeCount:
    """A count of tokens by an engine that has the model's tokenizer."""

    def call(self, order: Order, upstream_name: str) -> Call:
        """Ask for a count."""
        body = orjson.dumps({**order.wanted.fields, "model": upstream_name})
        return Call(MESSAGES + "/count_tokens", body)

    def stream(self, order: Order) -> Stream:
        """There is no such stream."""
        raise UpstreamError

    def whole(self, order: Order, body: bytes, content_type: str) -> Whole:
        """Keep the count."""
        try:
            count = orjson.loads(body)["input_tokens"]
        except (orjson.JSONDecodeError, KeyError, TypeError) as cause:
            raise UpstreamError from cause
        if type(count) is not int:
            raise UpstreamError from ValueError("the engine's count is no number")
        return _counted(count)


class EstimatedCount:
    """A count of tokens where no engine can count: our own estimate, and an answer that says so."""

    def call(self, order: Order, upstream_name: str) -> None:
        """Ask nobody."""

    def stream(self, order: Order) -> Stream:
        """There is no such stream."""
        raise UpstreamError

    def whole(self, order: Order, body: bytes, content_type: str) -> Whole:
        """Count the bytes of what a model would read."""
        size = len(orjson.dumps(order.wanted.fields))
        return _counted(size // LIKELY_BYTES_PER_TOKEN + 1)._replace(headers=ESTIMATED)


def likely_tokens(content: list[Any]) -> int:
    """Estimate the output of an engine that does not tell its usage; 0 only where there is none."""
    return sum(len(orjson.dumps(block)) // LIKELY_BYTES_PER_TOKEN + 1 for block in content)


def _counted(count: int) -> Whole:
    return Whole(orjson.dumps({"input_tokens": count}), _NOTHING_USED, 0)
