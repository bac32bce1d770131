"""May this head come in? Judged on what the server parsed, before any key, store or engine is looked at (§4.4).

The server (hyper) refuses by itself what it cannot read: two lengths that differ, bad chunks, control characters, more
than a hundred headers. Here is the rest: what is readable but large, double, or readable in two ways, of which a proxy
before us would take one and we the other (RFC 9112 §3.2 and §11.2).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from foundation.errors import InvalidRequest, NotFound, UnsupportedMediaType
from foundation.web import Header, Scope, single
from inference.gateway.errors import HeadTooLarge, TargetTooLong

MOST_HEADERS = 100
MOST_HEADER_BYTES = 8 * 1024
MOST_HEAD_BYTES = 32 * 1024
MOST_TARGET_BYTES = 8 * 1024

# The next bytes on such a connection may be a part of this request, or not: nobody may find out with us.
HANG_UP = {"connection": "close"}
_ONCE = frozenset({b"host", b"content-length", b"content-type", b"transfer-encoding", b"expect"})
_HOST = re.compile(rb"[A-Za-z0-9._~!$&'()*+,;=%-]+(?::[0-9]{0,5})?|\[[0-9A-Fa-f:.]+\](?::[0-9]{0,5})?")
# What is left of a path after decoding and is in no name of ours: controls, backslashes, bytes that are no UTF-8.
_ODD = re.compile("[\x00-\x20\x7f-\x9f\\\\\u2028\u2029\ufffd]")
_DOTS = frozenset({"", ".", ".."})
_FIXED_SEGMENTS = 3
_CHARSETS = frozenset({b"utf-8", b"utf8"})


def check_head(scope: Scope, literal: Collection[str] = ()) -> None:
    """Let a request's head in, or raise why not.

    `literal` are the paths that must be spelled without escapes. Raises HeadTooLarge, TargetTooLong, InvalidRequest,
    and NotFound for a path that means another one.
    """
    _check_sizes(scope["headers"])
    _check_headers(scope)
    _check_target(scope, literal)


def check_type(headers: Iterable[Header], wanted: bytes) -> None:
    """Let in a body of the wanted media type that is not encoded, JSON in UTF-8 only. Raises UnsupportedMediaType."""
    kind, *parameters = (single(headers, b"content-type") or b"").split(b";")
    if kind.strip().lower() != wanted:
        raise UnsupportedMediaType(f"Send the request as {wanted.decode()}.")
    for parameter in parameters:
        name, _, value = parameter.lower().partition(b"=")
        if name.strip() == b"charset" and value.strip().strip(b'"') not in _CHARSETS:
            raise UnsupportedMediaType("Send text in UTF-8.")
    if (single(headers, b"content-encoding") or b"identity").lower() != b"identity":
        raise UnsupportedMediaType("Send the body without a content-encoding.")


def _check_sizes(headers: Collection[Header]) -> None:
    total = 0
    for name, value in headers:
        size = len(name) + len(value)
        if size > MOST_HEADER_BYTES:
            raise HeadTooLarge(f"A header has more than {MOST_HEADER_BYTES} bytes.", headers=HANG_UP)
        total += size
    if total > MOST_HEAD_BYTES or len(headers) > MOST_HEADERS:
        raise HeadTooLarge(headers=HANG_UP)


def _check_headers(scope: Scope) -> None:
    found: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if name in _ONCE:
            if name in found:
                raise InvalidRequest(f"The header {name.decode()} is there more than once.", headers=HANG_UP)
            found[name] = value
    # Granian adds an empty one where there is none (2.8). HTTP/1.0 knows none; version 1.1 cannot do without (§3.2).
    host = found.get(b"host", b"")
    if not _HOST.fullmatch(host) and (host or scope["http_version"] == "1.1"):
        raise InvalidRequest("The header host is missing or names no host.", headers=HANG_UP)
    if b"transfer-encoding" in found and found[b"transfer-encoding"].lower() != b"chunked":
        raise InvalidRequest("The only transfer-encoding that is read is chunked.", headers=HANG_UP)
    if found.get(b"expect", b"100-continue").lower() != b"100-continue":
        raise InvalidRequest("Nothing can be expected but 100-continue.", headers=HANG_UP)


def _check_target(scope: Scope, literal: Collection[str]) -> None:
    path: str = scope["path"]
    raw: bytes = scope.get("raw_path") or path.encode()
    if len(raw) + len(scope.get("query_string", b"")) > MOST_TARGET_BYTES:
        raise TargetTooLong(headers=HANG_UP)
    escaped = b"%" in raw and (path in literal or b"%" in b"/".join(raw.split(b"/")[:_FIXED_SEGMENTS]))
    if escaped or _ODD.search(path) or not _DOTS.isdisjoint(path.split("/")[1:]):
        raise NotFound("There is no such endpoint.")
