"""Which web pages' scripts may read our answers (WHATWG Fetch §3.2): those that a key's organisation allows, else none.

A browser asks before it sends a key (the preflight), so nobody knows yet whose it will be. The question is answered for
an origin that any organisation allows; the answer to the request itself names the origin only if the organisation of
its key does. Cookies never count here: no answer allows credentials, and none is read.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from contextlib import suppress
from typing import Protocol

from foundation.errors import Forbidden, PlatformError
from foundation.stores import Postgres
from foundation.web import Header, Message, Scope, Send, single
from keys.verification import KeyDirectory

EVERY = "*"
FRESH_SECONDS = 5.0
# How long a browser may take a preflight's answer for granted.
REMEMBER = b"600"
ORIGINS = """
SELECT DISTINCT unnest(allowed_origins) FROM tenants_organization
WHERE status = 'active' AND allowed_origins <> '{}'
"""

_NAMES = re.compile(rb"[A-Za-z0-9_-]+(?:[ \t]*,[ \t]*[A-Za-z0-9_-]+)*")
_EXPOSED = b", ".join(
    (
        b"x-request-id",
        b"request-id",
        b"x-turnpike-model",
        b"x-turnpike-cost-nano-usd",
        b"x-turnpike-estimated",
        b"x-turnpike-original-request-id",
        b"idempotent-replayed",
        b"retry-after",
        b"x-should-retry",
        *(
            b"x-ratelimit-%s-%s" % (what, kind)
            for what in (b"limit", b"remaining", b"reset")
            for kind in (b"requests", b"tokens")
        ),
        b"x-ratelimit-mode",
    )
)


class Asked(Protocol):
    """What of a request a preflight is answered by."""

    @property
    def scope(self) -> Scope:
        """As ASGI gives it."""

    @property
    def send(self) -> Send:
        """As ASGI gives it."""

    @property
    def public_id(self) -> str:
        """The request's id."""


class Cors:
    """Answers preflights, and opens answers to the pages that may read them."""

    def __init__(self, postgres: Postgres, directory: KeyDirectory) -> None:
        self._postgres = postgres
        self._directory = directory
        self._lock = asyncio.Lock()
        self._origins: frozenset[str] = frozenset()
        self._read_at = float("-inf")

    def opening(self, scope: Scope, send: Send) -> Send:
        """Return a `send` that lets the page read the answer if the key's organisation allows it."""
        origin = _origin(scope["headers"])
        # Most callers are no browsers.
        if origin is None or scope["method"] == "OPTIONS":
            return send

        async def open_and_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *await self._permission(scope, origin)]
            await send(message)

        return open_and_send

    async def preflight(self, http: Asked, methods: Iterable[str]) -> None:
        """Answer OPTIONS: with the methods of the path and, to a page that some organisation allows, with leave to ask.

        Raises Forbidden for a page that none allows.
        """
        headers = http.scope["headers"]
        allowed = ", ".join((*methods, "OPTIONS")).encode()
        answer: list[Header] = [(b"allow", allowed), (b"x-request-id", http.public_id.encode())]
        origin = _origin(headers)
        if origin is not None and single(headers, b"access-control-request-method") is not None:
            if not _allows(await self._anybodys(), origin):
                raise Forbidden("No organization allows scripts of this origin to use this API.")
            answer += _leave(origin, allowed, single(headers, b"access-control-request-headers"))
        await http.send({"type": "http.response.start", "status": 204, "headers": answer})
        await http.send({"type": "http.response.body"})

    async def _permission(self, scope: Scope, origin: str) -> list[Header]:
        try:
            caller = await self._directory.caller(self._directory.credential(scope["headers"]))
        except PlatformError:
            return [(b"vary", b"origin")]
        if not _allows(caller.origins, origin):
            return [(b"vary", b"origin")]
        return [
            (b"access-control-allow-origin", origin.encode()),
            (b"access-control-expose-headers", _EXPOSED),
            (b"vary", b"origin"),
        ]

    async def _anybodys(self) -> frozenset[str]:
        """Return what all organisations allow, read at most once in FRESH_SECONDS however many strangers ask."""
        clock = asyncio.get_running_loop().time
        async with self._lock:
            if clock() - self._read_at >= FRESH_SECONDS:
                self._read_at = clock()
                # While Postgres is away what was known goes on: it opens nothing, for only the answer does.
                with suppress(PlatformError):
                    self._origins = frozenset(row[0] for row in await self._postgres.fetch(ORIGINS))
            return self._origins


def _origin(headers: Iterable[Header]) -> str | None:
    found = [value for name, value in headers if name == b"origin"]
    # Two are two readings, and one that is no text is none that anybody could have allowed.
    return found[0].decode() if len(found) == 1 and found[0].isascii() else None


def _allows(origins: frozenset[str], origin: str) -> bool:
    return origin in origins or EVERY in origins


def _leave(origin: str, methods: bytes, wanted: bytes | None) -> list[Header]:
    leave = [
        (b"access-control-allow-origin", origin.encode()),
        (b"access-control-allow-methods", methods),
        (b"access-control-max-age", REMEMBER),
        (b"vary", b"origin, access-control-request-headers"),
    ]
    # Whatever header a page sends, it is no more than a program could send: SDKs add some of their own.
    if wanted is not None and _NAMES.fullmatch(wanted):
        leave.append((b"access-control-allow-headers", wanted))
    return leave
