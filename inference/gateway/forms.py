"""Reads a multipart form that has one meaning only: every part named once, one file, nothing but parts (RFC 7578)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from foundation.errors import InvalidRequest, RequestTooLarge

MOST_PARTS = 32
MOST_HEADERS = 8
MOST_HEADER_BYTES = 1024
MOST_NAME_BYTES = 64
MOST_FIELD_BYTES = 64 * 1024
MOST_FILE_BYTES = 25 * 1024 * 1024
"""As much as OpenAI takes."""
# A part that is encoded once more would be read in two ways.
_PLAIN = frozenset({b"7bit", b"8bit", b"binary"})


@dataclass(frozen=True, slots=True)
class File:
    """A file as it was sent, with what its sender calls it. Never shown: content."""

    name: str
    media: str
    data: bytes = field(repr=False)


@dataclass(slots=True)
class Form:
    """Fields by name; those named `x[]` are lists, which may be repeated."""

    fields: dict[str, Any] = field(default_factory=dict)
    file: File | None = None


def parse(body: bytes, content_type: bytes, *, file: str) -> Form:
    """Read a form with one file, under the name `file`. Raises `InvalidRequest` and `RequestTooLarge`."""
    _, parameters = parse_options_header(content_type)
    boundary = parameters.get(b"boundary")
    if not boundary:
        raise InvalidRequest("The header content-type names no boundary.")
    reader = _Reader(file)
    try:
        MultipartParser(
            boundary, reader.callbacks(), max_header_count=MOST_HEADERS, max_header_size=MOST_HEADER_BYTES
        ).write(body)
    except FormParserError as cause:
        raise _malformed() from cause
    if not reader.ended:
        raise _malformed()
    if reader.form.file is None:
        raise InvalidRequest(f"{file} is missing.", param=file)
    return reader.form


class _Reader:
    """Takes what the parser finds, part by part."""

    def __init__(self, file: str) -> None:
        self.form = Form()
        self.ended = False
        self._file = file
        self._parts = 0
        self._headers: dict[bytes, bytes] = {}
        self._name, self._value = bytearray(), bytearray()
        self._data = bytearray()
        self._part: tuple[str, str | None] = ("", None)

    def callbacks(self) -> Any:
        found: dict[str, Callable[..., None]] = {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._name.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._header,
            "on_headers_finished": self._open,
            "on_part_data": self._take,
            "on_part_end": self._close,
            "on_end": self._end,
        }
        return found

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise InvalidRequest(f"The form has more than {MOST_PARTS} parts.")
        self._headers, self._data = {}, bytearray()

    def _header(self) -> None:
        name = bytes(self._name).lower()
        if name in self._headers:
            raise _malformed()
        self._headers[name] = bytes(self._value)
        self._name.clear()
        self._value.clear()

    def _open(self) -> None:
        kind, parameters = parse_options_header(self._headers.get(b"content-disposition"))
        name = parameters.get(b"name", b"")
        if kind != b"form-data" or not 0 < len(name) <= MOST_NAME_BYTES:
            raise _malformed()
        if self._headers.get(b"content-transfer-encoding", b"binary").strip().lower() not in _PLAIN:
            raise InvalidRequest("The parts of a form must not be encoded.")
        filename = parameters.get(b"filename")
        self._part = _text(name), None if filename is None else _text(filename)
        self._check(*self._part)

    def _check(self, name: str, filename: str | None) -> None:
        if (name == self._file) is not (filename is not None):
            raise InvalidRequest(f"The form has one file, named {self._file}.", param=name)
        twice = self.form.file is not None if filename is not None else name in self.form.fields
        if twice and not (filename is None and name.endswith("[]")):
            raise InvalidRequest(f"{name} is there more than once.", param=name)

    def _take(self, data: bytes, start: int, end: int) -> None:
        is_file = self._part[1] is not None
        most = MOST_FILE_BYTES if is_file else MOST_FIELD_BYTES
        if len(self._data) + end - start > most:
            raise RequestTooLarge(f"{self._part[0]} has more than {most} bytes.", param=self._part[0])
        self._data += memoryview(data)[start:end]

    def _close(self) -> None:
        name, filename = self._part
        if filename is not None:
            media = self._headers.get(b"content-type", b"").decode("latin-1")
            self.form.file = File(filename, media, bytes(self._data))
        elif name.endswith("[]"):
            self.form.fields.setdefault(name, []).append(_text(self._data))
        else:
            self.form.fields[name] = _text(self._data)

    def _end(self) -> None:
        self.ended = True


def _text(data: bytes | bytearray) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise InvalidRequest("A field of the form is not UTF-8.") from None


def _malformed() -> InvalidRequest:
    return InvalidRequest("The body is not a valid multipart form.")
