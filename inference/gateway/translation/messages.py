"""Anthropic's messages before any engine that can chat: request, whole answer and stream, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from inference.gateway.translation.messages_answer import message
from inference.gateway.translation.messages_events import MessageEvents
from inference.gateway.translation.messages_request import chat_request

if TYPE_CHECKING:
    from inference.gateway.orders import Order


class Messages:
    """The translation, for `engines/bridge.py`."""

    def fields(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Write the request as chat."""
        return chat_request(fields)

    def teller(self, order: Order) -> MessageEvents:
        """Begin a stream."""
        return MessageEvents(order.model.id)

    def whole(self, order: Order, answer: dict[str, Any], counted: dict[str, Any]) -> bytes:
        """Write an answer as a message."""
        return orjson.dumps(message(answer, order.model.id, counted))
