"""Streams that tell their usage with the last choice and not, as OpenAI's do, in a chunk of its own after it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import orjson

from inference.gateway.engines.mending import Mending
from inference.gateway.engines.openai_wires import DONE, ByteStream
from inference.gateway.engines.wire import Passage

if TYPE_CHECKING:
    from inference.gateway.orders import Order

_ID = re.compile(rb'"id"\s*:\s*("(?:[^"\\]|\\.)*")')
_CREATED = re.compile(rb'"created"\s*:\s*(\d+)')


class LateUsage(ByteStream):
    """Passes bytes on, and gives a client who asked for usage the chunk that it looks for."""

    def __init__(self, order: Order, mending: Mending | None = None) -> None:
        super().__init__(order, mending)
        self._order = order
        self._id: str | None = None
        self._created = 0

    @property
    def final(self) -> bool:
        """Whether the usage is the last one: nothing comes after the reason for the end."""
        return super().final or (self._meter.finished and self.usage() is not None)

    def feed(self, chunk: bytes) -> Passage:
        """Take whole events, and tell the usage before the end marker."""
        passage = super().feed(chunk)
        if self._id is None and passage.body:
            self._note(passage.body)
        if not passage.marker or passage.broken:
            return passage
        return passage._replace(body=passage.body + self._owed())

    def finish(self) -> bytes:
        """An engine that told why it ended and what it used has only forgotten to say that it is done."""
        return self._owed() + DONE if self._meter.finished and self.final else b""

    def _note(self, body: bytes) -> None:
        named, created = _ID.search(body), _CREATED.search(body)
        self._id = orjson.loads(named.group(1)) if named else ""
        self._created = int(created.group(1)) if created else 0

    def _owed(self) -> bytes:
        usage = self.usage()
        if super().final or usage is None or not self._order.wanted.include_usage:
            return b""
        is_chat = "messages" in self._order.wanted.fields
        chunk = {
            "id": self._id or "",
            "object": "chat.completion.chunk" if is_chat else "text_completion",
            "created": self._created,
            "model": self._order.model.id,
            "choices": [],
            "usage": usage,
        }
        return b"data: " + orjson.dumps(chunk) + b"\n\n"
