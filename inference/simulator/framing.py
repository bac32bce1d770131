"""Events into HTTP chunks: one chunk for each event, unless a directive wants the bytes odd."""

from inference.simulator.directives import Directive

END = b"0\r\n\r\n"
"""Ends a chunked body."""

BAD_GZIP = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xff"
"""A gzip header, then a deflate block of the reserved type: every reader must refuse it."""

_COMMENT = b": keep-alive\n\n"
_SIZES = [b"%x\r\n" % size for size in range(2048)]


class Framing:
    """Puts the events of one stream into HTTP chunks."""

    __slots__ = ("_comments", "_crlf", "_odd", "_split")

    def __init__(self, directive: Directive, *, events: bool = True) -> None:
        self._crlf = directive.crlf and events
        self._comments = directive.comments and events
        self._split = directive.split
        self._odd = self._crlf or self._comments or directive.split is not None

    def frames(self, events: list[bytes]) -> list[bytes]:
        """The HTTP chunks that carry these events; with `split` each is a piece of one."""
        if not self._odd:
            return [chunk(event) for event in events]
        if self._comments:
            events = [line for event in events for line in (_COMMENT, event)]
        if self._crlf:
            events = [event.replace(b"\n", b"\r\n") for event in events]
        if self._split is not None:
            events = [piece for event in events for piece in cut(event, self._split)]
        return [chunk(event) for event in events]


def chunk(data: bytes) -> bytes:
    """One HTTP chunk."""
    size = len(data)
    return b"%s%s\r\n" % (_SIZES[size] if size < len(_SIZES) else b"%x\r\n" % size, data)


def cut(data: bytes, size: int) -> list[bytes]:
    """`data` in pieces of `size` bytes, the last one shorter."""
    return [data[start : start + size] for start in range(0, len(data), size)]
