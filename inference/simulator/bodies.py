"""A whole answer: what stands around the tokens, and the tokens, so that it can be cut after any of them."""

from collections.abc import Sequence
from typing import Any

import orjson

JSON = b"application/json"
_SLOT = b"\0"
"""Cannot stand in JSON by itself, so it marks where tokens belong."""


class Tokens:
    """Stands in a document for a string that the model says, or, unquoted, for items it makes one by one."""

    __slots__ = ("quoted", "tokens")

    def __init__(self, tokens: list[bytes], *, quoted: bool = True) -> None:
        self.tokens = tokens
        self.quoted = quoted


def items(rendered: Sequence[bytes]) -> Tokens:
    """The items of an array, each counted as one token; stands as the array's only item."""
    return Tokens([b"," * bool(index) + item for index, item in enumerate(rendered)], quoted=False)


class Body:
    """Frames of bytes, and between them lists of tokens."""

    def __init__(self, frames: Sequence[bytes | list[bytes]], content_type: bytes = JSON) -> None:
        self._frames = frames
        self.content_type = content_type

    def data(self, upto: int | None = None) -> bytes:
        """All of it, or what comes before the token after the `upto`-th."""
        if upto is None:
            return b"".join(frame if isinstance(frame, bytes) else b"".join(frame) for frame in self._frames)
        kept, left = [], upto
        for frame in self._frames:
            if isinstance(frame, bytes):
                kept.append(frame)
                continue
            kept += frame[:left]
            left -= min(left, len(frame))
            if not left:
                break
        return b"".join(kept)


def json(document: object) -> Body:
    """A document with `Tokens` in it."""
    said: list[list[bytes]] = []

    def stand_in(value: object) -> Any:
        if not isinstance(value, Tokens):
            raise TypeError
        said.append(value.tokens)
        return orjson.Fragment(b'"%s"' % _SLOT if value.quoted else _SLOT)

    before, *rest = orjson.dumps(document, default=stand_in).split(_SLOT)
    frames: list[bytes | list[bytes]] = [before]
    for tokens, after in zip(said, rest, strict=True):
        frames += (tokens, after)
    return Body(frames)


def around(document: object) -> tuple[bytes, bytes]:
    """What stands before and after the one token in a document, for a stream that renders it often."""
    before, after = orjson.dumps(document, default=lambda _: orjson.Fragment(b'"%s"' % _SLOT)).split(_SLOT)
    return before, after


SLOT = Tokens([])
"""The one token in a document for `around`."""
