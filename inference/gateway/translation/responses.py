"""OpenAI's responses before any engine that can chat: request, whole answer and stream, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from inference.gateway.translation.responses_answer import response
from inference.gateway.translation.responses_events import ResponseEvents
from inference.gateway.translation.responses_request import chat_request

if TYPE_CHECKING:
    from inference.gateway.orders import Order


class Responses:
    """The translation, for `engines/bridge.py`."""

    def fields(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Write the request as chat."""
        return chat_request(fields)

    def teller(self, order: Order) -> ResponseEvents:
        """Begin a stream."""
        return ResponseEvents(order.model.id, order.wanted.fields)

    def whole(self, order: Order, answer: dict[str, Any], counted: dict[str, Any]) -> bytes:
        """Write an answer as a response."""
        return orjson.dumps(response(answer, order.wanted.fields, order.model.id, counted))
