"""The wire of OpenAI's responses, for engines that serve them: a response's bytes go through."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from inference.gateway.engines.anthropic_wires import likely_tokens
from inference.gateway.engines.openai_wires import parsed
from inference.gateway.engines.response_streams import ResponseStream, openai_usage, shown
from inference.gateway.engines.wire import EVENT_STREAM, JSON, Call, Stream, Whole

if TYPE_CHECKING:
    from inference.gateway.orders import Order

RESPONSES = "/v1/responses"


class NativeResponses:
    """Responses before an engine that serves them. It is told to keep nothing."""

    def call(self, order: Order, upstream_name: str) -> Call:
        """Ask. Usage always comes with the end of a response."""
        fields, most = order.wanted.fields, order.bound.max_tokens
        body = {**fields, "model": upstream_name, "max_output_tokens": most, "store": False}
        return Call(RESPONSES, orjson.dumps(body), (EVENT_STREAM if order.wanted.stream else JSON,))

    def stream(self, order: Order) -> Stream:
        """Pass events on as bytes."""
        return ResponseStream(order.model.id)

    def whole(self, order: Order, body: bytes, content_type: str) -> Whole:
        """Keep what is known of a response, under the public name."""
        response = parsed(body, "output")
        usage = openai_usage(response.get("usage"))
        return Whole(orjson.dumps(shown(response, order.model.id)), usage, likely_tokens(response["output"]))
