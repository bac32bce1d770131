"""A form with one file, read strictly: multipart/form-data as browsers and SDKs send it (RFC 7578).

A body is in memory as a whole, so what is limited here is how much there can be to think about: parts, names, values.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from foundation.errors import InvalidRequest

MOST_PARTS: Final = 64
MOST_HEADERS: Final = 4
LONGEST_HEADER: Final = 1024
LONGEST_NAME: Final = 64
LONGEST_VALUE: Final = 16 * 1024
LONGEST_BOUNDARY: Final = 70
"""RFC 2046 §5.1.1."""


@dataclass(frozen=True, slots=True)
class File:
    """What was sent as a file. Its name says at most in which format it is."""

    name: str
    data: bytes = field(repr=False)


@dataclass(slots=True)
class Form:
    """A form's values by name, in their order, and its file. Never shown: content."""

    values: dict[str, list[str]] = field(default_factory=dict, repr=False)
    file: File | None = None

    def single(self, name: str) -> str | None:
        """Return a value that may be there once. Raises `InvalidRequest`."""
        found = self.values.get(name, [])
        if len(found) > 1:
            raise InvalidRequest(f"{name} is there more than once.", param=name)
        return found[0] if found else None


def read(body: bytes, content_type: bytes) -> Form:
    """Read a form whose one file is called `file`. Raises `InvalidRequest`."""
    collector = _Collector()
    parser = MultipartParser(
        _boundary(content_type),
        {
            "on_part_begin": collector.begin,
            "on_header_field": collector.name,
            "on_header_value": collector.value,
            "on_header_end": collector.end_header,
            "on_headers_finished": collector.end_headers,
            "on_part_data": collector.data,
            "on_part_end": collector.end_part,
            "on_end": collector.end,
        },
        max_header_count=MOST_HEADERS,
        max_header_size=LONGEST_HEADER,
    )
    try:
        parser.write(body)
        parser.finalize()
    except FormParserError as cause:
        raise InvalidRequest("The form is not well-formed.") from cause
    if not collector.ended:
        raise InvalidRequest("The form has no end.")
    return collector.form


def _boundary(content_type: bytes) -> bytes:
    _, options = parse_options_header(content_type.decode("latin-1"))
    boundary = options.get(b"boundary", b"")
    if not 0 < len(boundary) <= LONGEST_BOUNDARY:
        raise InvalidRequest(f"The content type needs a boundary of at most {LONGEST_BOUNDARY} characters.")
    return boundary


class _Collector:
    """What the parser tells, part by part. Slices of the body are joined once, at the end of their part."""

    def __init__(self) -> None:
        self.form = Form()
        self.ended = False
        self._parts = 0
        self._begin()

    def _begin(self) -> None:
        self._headers: dict[bytes, bytes] = {}
        self._header_name = self._header_value = b""
        self._pieces: list[bytes] = []
        self._size = 0
        self._disposition: dict[bytes, bytes] = {}

    def begin(self) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise InvalidRequest(f"The form has more than {MOST_PARTS} parts.")
        self._begin()

    def name(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def end_header(self) -> None:
        name = self._header_name.lower()
        if name in self._headers:
            raise InvalidRequest("A part of the form has a header twice.")
        self._headers[name] = self._header_value
        self._header_name = self._header_value = b""

    def end_headers(self) -> None:
        kind, self._disposition = parse_options_header(self._headers.get(b"content-disposition", b"").decode("latin-1"))
        if kind != b"form-data" or not 0 < len(self._disposition.get(b"name", b"")) <= LONGEST_NAME:
            raise InvalidRequest(f"A part of the form needs a name of at most {LONGEST_NAME} bytes.")
        if self._headers.get(b"content-transfer-encoding", b"binary").lower() not in (b"binary", b"8bit", b"7bit"):
            raise InvalidRequest("A part of the form is encoded. Send it as it is.")

    def data(self, data: bytes, start: int, end: int) -> None:
        self._size += end - start
        if b"filename" not in self._disposition and self._size > LONGEST_VALUE:
            name = _text(self._disposition[b"name"], "a name")
            raise InvalidRequest(f"{name} is longer than {LONGEST_VALUE} bytes.", param=name)
        self._pieces.append(data[start:end])

    def end_part(self) -> None:
        name, content = _text(self._disposition[b"name"], "a name"), b"".join(self._pieces)
        if b"filename" not in self._disposition:
            self.form.values.setdefault(name, []).append(_text(content, name))
            return
        if name != "file":
            raise InvalidRequest(f"The file must be called file, not {name}.", param=name)
        if self.form.file is not None:
            raise InvalidRequest("The form has more than one file.", param="file")
        self.form.file = File(_text(self._disposition[b"filename"], "file"), content)

    def end(self) -> None:
        self.ended = True


def _text(value: bytes, name: str) -> str:
    try:
        text = value.decode()
    except UnicodeDecodeError as cause:
        raise InvalidRequest(f"{name} is not UTF-8.", param=name) from cause
    if "\0" in text:
        raise InvalidRequest(f"{name} has a NUL.", param=name)
    return text
