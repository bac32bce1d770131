"""Answers that are OpenAI's but for a word here and there: those are read, mended and written anew, and only those."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import orjson

from inference.gateway.engines.wire import MISSHAPEN
from inference.gateway.errors import UpstreamError
from inference.gateway.streams import events_of

type Item = dict[str, Any]


class Mending(NamedTuple):
    """How one kind of engine's answers become OpenAI's."""

    marks: tuple[bytes, ...]
    """What a chunk has in it that may need mending; all other chunks go on as bytes."""
    mend: Callable[[Item], None]
    """Mends a chunk or a whole answer in place."""

    def block(self, block: bytes) -> bytes:
        """Mend whole events. Raises `UpstreamError` for what cannot be read."""
        if not any(mark in block for mark in self.marks):
            return block
        return b"".join(self._event(event) for event in events_of(block))

    def answer(self, answer: Item) -> None:
        """Mend a whole answer. Raises `UpstreamError` for what cannot be read."""
        try:
            self.mend(answer)
        except MISSHAPEN as cause:
            raise UpstreamError from cause

    def _event(self, event: bytes) -> bytes:
        if not any(mark in event for mark in self.marks):
            return event
        return b"".join(self._line(line) for line in event.splitlines(keepends=True))

    def _line(self, line: bytes) -> bytes:
        if not line.startswith(b"data:"):
            return line
        try:
            chunk = orjson.loads(line[5:])
        except orjson.JSONDecodeError as cause:
            raise UpstreamError from cause
        self.answer(chunk)
        return b"data: " + orjson.dumps(chunk) + b"\n"


def said(answer: Item) -> Iterator[tuple[Item, Item]]:
    """Return each choice with what it says, in a chunk or in a whole answer."""
    for choice in answer["choices"]:
        yield choice, choice.get("delta") or choice.get("message") or {}
