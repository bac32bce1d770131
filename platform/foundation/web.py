"""Small helpers for raw ASGI: look up a header, read a body within its limits, answer with JSON.

Header names and values are bytes as the server gave them, names in lower case (ASGI 3).
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from foundation.errors import ClientGone, InvalidRequest, RequestTimeout, RequestTooLarge

type Scope = MutableMapping[str, Any]
type Message = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]
type Header = tuple[bytes, bytes]

MAX_SECONDS = 30.0
MIN_BYTES_PER_SECOND = 16_384
GRACE_SECONDS = 5.0
"""How long a body may take before its rate counts, so that small bodies survive a slow network's hiccup."""

# Answers are for the program that asked: no cache may keep one, and no browser may take one for a page.
GUARDED: tuple[Header, ...] = ((b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store"))
_JSON = (b"content-type", b"application/json")


def single(headers: Iterable[Header], name: bytes) -> bytes | None:
    """Return a header's value, or None without it; `InvalidRequest` when it is there twice.

    Two values are two readings: a proxy would decide by one and we by the other.
    """
    found = None
    for key, value in headers:
        if key == name:
            if found is not None:
                raise InvalidRequest(f"The header {name.decode('latin-1')} is there more than once.")
            found = value
    return found


async def read_body(
    scope: Scope,
    receive: Receive,
    *,
    max_bytes: int,
    max_seconds: float = MAX_SECONDS,
    min_bytes_per_second: int = MIN_BYTES_PER_SECOND,
    grace_seconds: float = GRACE_SECONDS,
) -> bytes:
    """Read a request's whole body.

    Raises `RequestTooLarge` (before reading, when the length is declared), `RequestTimeout` when the body takes
    longer than `max_seconds` or falls behind the rate after the grace, `ClientGone` when the client leaves.
    """
    _check_declared(scope, max_bytes)
    started = asyncio.get_running_loop().time()
    try:
        async with asyncio.timeout_at(started + min(max_seconds, grace_seconds)) as limit:
            body, more = await _next_part(receive)
            if not more and len(body) <= max_bytes:
                return body
            parts, size = [body], len(body)
            while more and size <= max_bytes:
                # The average from the start must keep the rate: what came so far says when the next part is due.
                limit.reschedule(started + min(max_seconds, grace_seconds + size / min_bytes_per_second))
                body, more = await _next_part(receive)
                parts.append(body)
                size += len(body)
    except TimeoutError as cause:
        raise RequestTimeout(headers=_hang_up(scope)) from cause
    if size > max_bytes:
        raise _too_large(scope, max_bytes)
    return b"".join(parts)


async def wait_for_disconnect(receive: Receive) -> None:
    """Return when the client is gone; for after the body is read, beside a stream of the answer."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def send_json(send: Send, status: int, body: bytes, headers: Iterable[Header] = ()) -> None:
    """Answer with a JSON body that is serialised already, with its type and length, and these headers.

    No cache keeps it, unless these say so.
    """
    more = [*headers]
    guards = GUARDED[:1] if any(name == b"cache-control" for name, _ in more) else GUARDED
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [_JSON, length, *guards, *more]})
    await send({"type": "http.response.body", "body": body})


async def _next_part(receive: Receive) -> tuple[bytes, bool]:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGone
    return message.get("body", b""), message.get("more_body", False)


def _check_declared(scope: Scope, max_bytes: int) -> None:
    declared = single(scope["headers"], b"content-length")
    if declared is None:
        return
    if not declared.isdigit():
        raise InvalidRequest("The header content-length is not a number.")
    # Compared by its number of digits first: a number of a thousand digits is nobody's length.
    if len(declared.lstrip(b"0")) > 18 or int(declared) > max_bytes:
        raise _too_large(scope, max_bytes)


def _too_large(scope: Scope, max_bytes: int) -> RequestTooLarge:
    return RequestTooLarge(f"The request is larger than {max_bytes} bytes.", headers=_hang_up(scope))


def _hang_up(scope: Scope) -> dict[str, str]:
    # The rest of the body is not read, so the connection cannot carry another request. HTTP/2 forbids the header.
    return {"connection": "close"} if scope.get("http_version", "1.1").startswith("1") else {}
