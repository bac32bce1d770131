"""HTTP/1.1 on the wire: requests out of bytes (fixed and chunked bodies, pipelining), response heads into bytes."""

import re
import time
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus

MAX_HEAD = 64 * 1024
MAX_BODY = 64 * 1024 * 1024
_HEXADECIMAL = re.compile(rb"[0-9A-Fa-f]{1,12}")


class ProtocolError(Exception):
    """Bytes that are no request this server reads; the connection cannot go on after it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(slots=True)
class Request:
    """One request; header names are in lower case, repeated ones are joined with a comma."""

    method: str
    path: str
    """Without the query."""
    headers: dict[str, str]
    keep_alive: bool
    body: bytes = b""


class RequestParser:
    """Takes bytes as they come and gives whole requests."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._request: Request | None = None
        self._length: int | None = None
        self._chunks = bytearray()

    def feed(self, data: bytes) -> None:
        """Take what the peer sent."""
        self._buffer += data

    @property
    def backlog(self) -> int:
        """Bytes taken and not yet given out."""
        return len(self._buffer)

    def next_request(self) -> Request | None:
        """The next whole request, or None until more bytes come. Raises ProtocolError."""
        if self._request is None and not self._read_head():
            return None
        request = self._request
        body = self._read_body()
        if request is None or body is None:
            return None
        self._request = None
        request.body = body
        return request

    def take_expectation(self) -> bool:
        """True once for a request whose sender waits for `100 Continue` before its body."""
        request = self._request
        return request is not None and request.headers.pop("expect", "").lower() == "100-continue"

    def _read_head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end > MAX_HEAD or (end < 0 and len(self._buffer) > MAX_HEAD):
            raise ProtocolError(431, "request head is too large")
        if end < 0:
            return False
        head = self._buffer[:end].decode("latin-1")
        del self._buffer[: end + 4]
        request = _parse_head(head)
        self._length = _body_length(request.headers)
        self._request = request
        return True

    def _read_body(self) -> bytes | None:
        if self._length is None:
            return self._read_chunked()
        if len(self._buffer) < self._length:
            return None
        if not self._length:
            return b""
        body = bytes(self._buffer[: self._length])
        del self._buffer[: self._length]
        return body

    def _read_chunked(self) -> bytes | None:
        while (end := self._buffer.find(b"\r\n")) >= 0:
            size = _chunk_size(self._buffer[:end])
            if size == 0:
                return self._read_trailers(end + 2)
            if len(self._chunks) + size > MAX_BODY:
                raise ProtocolError(413, "request body is too large")
            start = end + 2
            if len(self._buffer) < start + size + 2:
                return None
            self._chunks += self._buffer[start : start + size]
            del self._buffer[: start + size + 2]
        return None

    def _read_trailers(self, start: int) -> bytes | None:
        """Trailers are skipped: after the last chunk come lines until an empty one."""
        if self._buffer.startswith(b"\r\n", start):
            end = start + 2
        elif (found := self._buffer.find(b"\r\n\r\n", start)) >= 0:
            end = found + 4
        else:
            return None
        del self._buffer[:end]
        body, self._chunks = bytes(self._chunks), bytearray()
        return body


def _parse_head(head: str) -> Request:
    request_line, *lines = head.lstrip("\r\n").split("\r\n")
    try:
        method, target, version = request_line.split(" ")
    except ValueError:
        raise ProtocolError(400, "malformed request line") from None
    if not version.startswith("HTTP/1."):
        raise ProtocolError(505, "HTTP version is not supported")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise ProtocolError(400, "malformed header")
        name, value = name.lower(), value.strip()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    connection = headers.get("connection", "").lower()
    keep_alive = "keep-alive" in connection if version == "HTTP/1.0" else "close" not in connection
    return Request(method, target.partition("?")[0], headers, keep_alive)


def _body_length(headers: dict[str, str]) -> int | None:
    """The body's length, or None for a chunked one."""
    length = headers.get("content-length")
    if "transfer-encoding" in headers:
        if length is not None or headers["transfer-encoding"].lower() != "chunked":
            raise ProtocolError(400, "ambiguous body length")
        return None
    if length is None:
        return 0
    if not length.isdecimal():
        raise ProtocolError(400, "malformed content-length")
    if int(length) > MAX_BODY:
        raise ProtocolError(413, "request body is too large")
    return int(length)


def _chunk_size(line: bytearray) -> int:
    digits = line.partition(b";")[0].strip()
    if not _HEXADECIMAL.fullmatch(digits):
        raise ProtocolError(400, "malformed chunk size")
    return int(digits, 16)


def response_head(status: int, content_type: bytes, length: int | None, extra: bytes = b"") -> bytes:
    """Status line and headers; a `length` of None announces a chunked body, an empty `content_type` none.

    `extra` is whole header lines.
    """
    body = b"transfer-encoding: chunked" if length is None else b"content-length: %d" % length
    kind = b"content-type: %s\r\n" % content_type if content_type else b""
    return b"%s%s\r\n%s%s\r\n" % (_opening(status), body, kind, extra)


_openings: dict[int, tuple[int, bytes]] = {}


def _opening(status: int) -> bytes:
    """Everything up to the headers of the body; rendered once a second, because it holds the date."""
    second = int(time.time())
    rendered_at, opening = _openings.get(status, (0, b""))
    if rendered_at != second:
        line = f"HTTP/1.1 {status} {phrase(status)}\r\ndate: {formatdate(second, usegmt=True)}\r\nserver: uvicorn\r\n"
        opening = line.encode("ascii")
        _openings[status] = (second, opening)
    return opening


def phrase(status: int) -> str:
    """The status's reason phrase, also for numbers nobody registered."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unregistered"
