"""Requests that must not come in, byte by byte, and what the door says to each.

`KEY` in a vector stands for a key that is good. `SMUGGLED` is a whole request that would be served, and would cost
something, if its bytes were taken for the next request of the connection.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

CHAT = b"/v1/chat/completions"
BODY = json.dumps(
    {"model": "sim", "messages": [{"role": "user", "content": "hi [[sim tokens=1 ttft=0 gap=0]]"}]}
).encode()
KEY = b"{key}"


@dataclass(frozen=True)
class Vector:
    """A request, the status and the code it is answered with, and whether the connection stays.

    Code None is the server's own answer, without a body; status 0 is none at all, only the end of the connection.
    """

    request: bytes
    status: int
    code: str | None
    kept: bool = False


def post(
    *lines: bytes, body: bytes = BODY, target: bytes = CHAT, length: bool = True, kind: bytes = b"application/json"
) -> bytes:
    """Write a request for a completion with more header lines, and with a length unless told not to."""
    head = [b"POST " + target + b" HTTP/1.1", b"host: turnpike.test", b"authorization: Bearer " + KEY]
    if kind:
        head.append(b"content-type: " + kind)
    if length:
        head.append(b"content-length: %d" % len(body))
    return b"\r\n".join([*head, *lines]) + b"\r\n\r\n" + body


def chunked(
    body: bytes, *lines: bytes, end: bytes = b"0\r\n\r\n", coding: bytes = b"transfer-encoding: chunked"
) -> bytes:
    """Write a request whose body is framed by hand."""
    return post(coding, *lines, body=body + end, length=False)


def get(target: bytes, *lines: bytes, method: bytes = b"GET", version: bytes = b"HTTP/1.1") -> bytes:
    """Write a request for something to read."""
    head = [method + b" " + target + b" " + version, b"host: turnpike.test", b"authorization: Bearer " + KEY, *lines]
    return b"\r\n".join(head) + b"\r\n\r\n"


SMUGGLED = post()
_WHOLE = b"%x\r\n%s\r\n" % (len(BODY), BODY)
_BAD, _LARGE, _NONE, _KIND = "invalid_request", "request_head_too_large", "not_found", "unsupported_media_type"

FRAMING = {
    "two lengths": Vector(post(b"content-length: 1") + SMUGGLED, 400, None),
    "a list of lengths": Vector(post(b"content-length: 2, 2", length=False) + SMUGGLED, 400, None),
    "a length with a plus": Vector(post(b"content-length: +2", length=False) + SMUGGLED, 400, None),
    "a length below zero": Vector(post(b"content-length: -2", length=False) + SMUGGLED, 400, None),
    "a length in hexadecimal": Vector(post(b"content-length: 0x2", length=False) + SMUGGLED, 400, None),
    "a length of thirty digits": Vector(post(b"content-length: " + b"9" * 30, length=False) + SMUGGLED, 400, None),
    "a length that is too large": Vector(post(b"content-length: 999999999", length=False), 413, "request_too_large"),
    # Read by its coding alone, which here is an empty body, and the connection ends (RFC 9112 §6.3).
    "a length and chunks": Vector(post(b"transfer-encoding: chunked", body=b"0\r\n\r\n") + SMUGGLED, 400, _BAD),
    "an unknown coding": Vector(chunked(_WHOLE, coding=b"transfer-encoding: xchunked") + SMUGGLED, 400, None),
    "the coding identity": Vector(chunked(_WHOLE, coding=b"transfer-encoding: identity") + SMUGGLED, 400, None),
    "chunked, then more": Vector(chunked(_WHOLE, coding=b"transfer-encoding: chunked, gzip") + SMUGGLED, 400, None),
    "gzip, then chunked": Vector(chunked(_WHOLE, coding=b"transfer-encoding: gzip, chunked"), 400, _BAD),
    "chunked twice": Vector(chunked(_WHOLE, b"transfer-encoding: chunked"), 400, _BAD),
    "chunked, and identity": Vector(chunked(_WHOLE, b"transfer-encoding: identity") + SMUGGLED, 400, None),
    "a blank before the colon": Vector(chunked(_WHOLE, coding=b"transfer-encoding : chunked") + SMUGGLED, 400, None),
    "a vertical tab": Vector(chunked(_WHOLE, coding=b"transfer-encoding: \x0bchunked") + SMUGGLED, 400, None),
    "quotes": Vector(chunked(_WHOLE, coding=b'transfer-encoding: "chunked"') + SMUGGLED, 400, None),
    "a folded line": Vector(chunked(_WHOLE, coding=b"transfer-encoding:\r\n chunked") + SMUGGLED, 400, None),
    "a bare carriage return": Vector(chunked(_WHOLE, coding=b"x: y\rtransfer-encoding: chunked") + SMUGGLED, 400, None),
    "a NUL in a value": Vector(get(b"/v1/models", b"x: a\0b") + SMUGGLED, 400, None),
    "a NUL in a name": Vector(get(b"/v1/models", b"x\0: ab") + SMUGGLED, 400, None),
    "a header without a name": Vector(get(b"/v1/models", b": x") + SMUGGLED, 400, None),
    "a header without a colon": Vector(get(b"/v1/models", b"x") + SMUGGLED, 400, None),
    "chunks in HTTP/1.0": Vector(chunked(_WHOLE).replace(b"HTTP/1.1", b"HTTP/1.0") + SMUGGLED, 400, None),
    "a chunk of sixty-five bits": Vector(chunked(b"10000000000000002\r\nhi\r\n") + SMUGGLED, 400, _BAD),
    "a chunk below zero": Vector(chunked(b"-1\r\nhi\r\n") + SMUGGLED, 400, _BAD),
    "a chunk with a prefix": Vector(chunked(b"0x2\r\nhi\r\n") + SMUGGLED, 400, _BAD),
    "a chunk that is longer than it says": Vector(chunked(b"2\r\nhi!\r\n") + SMUGGLED, 400, _BAD),
    "a chunk that ends in a bare line feed": Vector(chunked(b"2\nhi\n", end=b"0\n\n") + SMUGGLED, 400, _BAD),
    "a line feed in an extension": Vector(chunked(b"2;a\nxx\r\nhi\r\n") + SMUGGLED, 400, _BAD),
    "an extension of a hundred kilobytes": Vector(
        chunked(b"2;" + b"a" * 100_000 + b"\r\nhi\r\n") + SMUGGLED, 400, _BAD
    ),
    "two thousand trailers": Vector(chunked(_WHOLE, end=b"0\r\n" + b"a: b\r\n" * 2000 + b"\r\n") + SMUGGLED, 400, _BAD),
}

LINES = {
    "no HTTP at all": Vector(b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" * 10, 400, None),
    "HTTP/0.9": Vector(b"GET /v1/models\r\n\r\n" + SMUGGLED, 400, None),
    "HTTP/1.2": Vector(get(b"/v1/models", version=b"HTTP/1.2") + SMUGGLED, 400, None),
    "HTTP/2 in a line of HTTP/1.1": Vector(get(b"/v1/models", version=b"HTTP/2.0") + SMUGGLED, 400, None),
    "the preface of HTTP/2": Vector(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4" + b"\0" * 5, 0, None),
    "a blank before the method": Vector(b" " + get(b"/v1/models") + SMUGGLED, 400, None),
    "tabs between the words": Vector(get(b"/v1/models").replace(b" ", b"\t", 2) + SMUGGLED, 400, None),
    "a method that is no word": Vector(get(b"/v1/models", method=b"G@T") + SMUGGLED, 400, None),
    "a method in small letters": Vector(get(b"/v1/models", method=b"get"), 405, "method_not_allowed", True),
    "TRACE": Vector(get(b"/v1/models", method=b"TRACE"), 405, "method_not_allowed", True),
    "GET where POST is asked for": Vector(get(CHAT), 405, "method_not_allowed", True),
    "DELETE": Vector(get(b"/v1/models", method=b"DELETE"), 405, "method_not_allowed", True),
}

HEADERS = {
    "no host": Vector(get(b"/v1/models").replace(b"host: turnpike.test\r\n", b"") + SMUGGLED, 400, _BAD),
    "an empty host": Vector(get(b"/v1/models").replace(b"turnpike.test", b"") + SMUGGLED, 400, _BAD),
    "two hosts": Vector(get(b"/v1/models", b"host: other.test") + SMUGGLED, 400, _BAD),
    "the same host twice": Vector(get(b"/v1/models", b"host: turnpike.test") + SMUGGLED, 400, _BAD),
    "a host that is a path": Vector(get(b"/v1/models").replace(b"turnpike.test", b"a/b") + SMUGGLED, 400, _BAD),
    "a host with a user": Vector(get(b"/v1/models").replace(b"turnpike.test", b"a@b") + SMUGGLED, 400, _BAD),
    "two kinds of content": Vector(post(b"content-type: text/plain"), 400, _BAD),
    "an expectation nobody knows": Vector(post(b"expect: 200-maybe"), 400, _BAD),
    "two credentials": Vector(post(b"x-api-key: " + KEY), 400, _BAD, True),
    "the same credential twice": Vector(post(b"authorization: Bearer " + KEY), 400, _BAD, True),
    "a hundred and one headers": Vector(get(b"/v1/models", *(b"x-%d: 1" % n for n in range(99))), 431, None),
    "a header of nine kilobytes": Vector(get(b"/v1/models", b"x: " + b"a" * 9_000), 431, _LARGE),
    "headers of forty kilobytes": Vector(
        get(b"/v1/models", *(b"x%d: %s" % (n, b"a" * 4_000) for n in range(10))), 431, _LARGE
    ),
    "headers of two hundred kilobytes": Vector(
        get(b"/v1/models", *(b"x%d: %s" % (n, b"a" * 4_000) for n in range(50))), 431, None
    ),
    "an address of nine kilobytes": Vector(get(b"/v1/" + b"a" * 9_000), 414, "request_target_too_long"),
    "an address of seventy kilobytes": Vector(get(b"/v1/" + b"a" * 70_000), 414, None),
    "a key in the address": Vector(
        get(b"/v1/models?api_key=" + KEY).replace(b"authorization: Bearer " + KEY + b"\r\n", b""),
        401,
        "invalid_api_key",
        True,
    ),
}

_PATHS = [
    b"//v1/models",
    b"/v1//models",
    b"/v1/models/",
    b"/v1/./models",
    b"/v1/../v1/models",
    b"/v1/%2e%2e/v1/models",
    b"/v1/models/%2e%2e/models",
    b"/v1/models/..",
    b"/v1/models%0a",
    b"/v1/models%0d%0ax:%20y",
    b"/v1/models%00",
    b"/v1%2fmodels",
    b"/v1/models%2fsim",
    b"/%76%31/models",
    b"/v1/%6dodels",
    b"/v1/chat%2fcompletions",
    b"/v1\\models",
    b"/v1/models\\sim",
    b"/v1/models;a=b",
    b"/v1/models%ff",
    b"/v1/mod\xc3\xa9ls",
    b"/v1/mod%zzels",
    b"/v1/models%23",
    b"/v1/models%3f",
    b"/v1/models%20",
    b"/v1/models/%0asim",
    b"/V1/models",
    b"/v1/Models",
    b"/v1",
    b"/v1/../admin/",
    b"/v1/..%2fadmin/",
    b"*",
]
PATHS = {path.decode("latin-1"): path for path in _PATHS}

_DEEP, _WIDE = b"[" * 100_000, b"[" + b"[]," * 300_000 + b"[]]"
BODIES = {
    "a form": Vector(post(kind=b"application/x-www-form-urlencoded", body=b"model=sim"), 415, _KIND, True),
    "a form with a file": Vector(post(kind=b"multipart/form-data; boundary=x", body=b"--x--"), 415, _KIND, True),
    "no content type": Vector(post(kind=b""), 415, _KIND, True),
    "UTF-16 by its name": Vector(post(kind=b"application/json; charset=utf-16"), 415, _KIND, True),
    "Latin-1 by its name": Vector(post(kind=b"application/json;charset=ISO-8859-1"), 415, _KIND, True),
    "gzip": Vector(post(b"content-encoding: gzip"), 415, _KIND, True),
    "identity, then gzip": Vector(post(b"content-encoding: identity, gzip"), 415, _KIND, True),
    "nothing": Vector(post(body=b""), 400, _BAD, True),
    "a byte order mark": Vector(post(body=b"\xef\xbb\xbf" + BODY), 400, _BAD, True),
    "UTF-16 in fact": Vector(post(body=BODY.decode().encode("utf-16")), 400, _BAD, True),
    "bytes that are no UTF-8": Vector(post(body=BODY.replace(b"hi", b"\xff\xfe")), 400, _BAD, True),
    "something behind the end": Vector(post(body=BODY + b"{}"), 400, _BAD, True),
    "a NUL behind the end": Vector(post(body=BODY + b"\0"), 400, _BAD, True),
    "half an object": Vector(post(body=BODY[:-1]), 400, _BAD, True),
    "a list": Vector(post(body=b"[" + BODY + b"]"), 400, _BAD, True),
    "a hundred thousand levels": Vector(post(body=_DEEP), 400, _BAD, True),
    "sixty-five levels": Vector(post(body=b'{"tools":' + b"[" * 64 + b"]" * 64 + b"}"), 400, _BAD, True),
    "three hundred thousand lists": Vector(post(body=b'{"tools":' + _WIDE + b"}"), 400, _BAD, True),
    "a key twice": Vector(post(body=BODY[:-1] + b',"model":"x"}'), 400, _BAD, True),
    "NaN": Vector(post(body=BODY[:-1] + b',"seed":NaN}'), 400, _BAD, True),
    "an integer of sixty-five bits": Vector(post(body=BODY[:-1] + b',"seed":18446744073709551616}'), 400, _BAD, True),
    "half a surrogate": Vector(post(body=BODY.replace(b"hi", b"\\ud800")), 400, _BAD, True),
    "a field for the engine alone": Vector(post(body=BODY[:-1] + b',"kv_transfer_params":{}}'), 400, _BAD, True),
    "eleven megabytes": Vector(post(body=BODY[:-1] + b" " * 11_000_000 + b"}"), 413, "request_too_large", True),
    "less than its length": Vector(post(b"content-length: 9999", length=False), 400, _BAD),
}
