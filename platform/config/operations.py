"""The doors for machines that run the platform, in raw ASGI: alive, ready, metrics, and the call before a stop.

`/metrics` and `/internal/prestop` want METRICS_TOKEN as a bearer token; without it they do not exist (404).
"""

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import orjson
import psycopg
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from config.draining import Drain
from foundation import ids, metrics
from foundation.errors import MethodNotAllowed, NotFound, PlatformError
from foundation.web import Receive, Scope, Send, send_json, single
from inference.gateway import answers

PROBE_SECONDS = 1.0
FRESH_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Reachable:
    """Which stores answered a probe."""

    postgres: bool
    valkey: bool


class Readiness:
    """Whether this process can serve, asked of the stores at most once a second however often it is asked itself."""

    def __init__(self, database_url: str, redis_url: str) -> None:
        self._database_url = database_url
        self._redis_url = redis_url
        self._lock = asyncio.Lock()
        self._seen: Reachable | None = None
        self._seen_at = 0.0
        self._valkey_was_there = False

    async def stores(self) -> Reachable:
        """Return which stores answered within a second, not longer ago than another second."""
        clock = asyncio.get_running_loop().time
        async with self._lock:
            if self._seen is None or clock() - self._seen_at >= FRESH_SECONDS:
                there = await asyncio.gather(postgres_answers(self._database_url), valkey_answers(self._redis_url))
                self._seen, self._seen_at = Reachable(*there), clock()
                self._valkey_was_there |= self._seen.valkey
            return self._seen

    async def status(self) -> tuple[str, Reachable]:
        """Return `ready`, `degraded` (serving without Valkey, architecture §4.2) or `unready`, with the stores.

        Valkey must have been there once: a process that never saw it is set up wrongly. Losing it later costs precision
        of the limits only, and must not take every server out of the balancer at once.
        """
        stores = await self.stores()
        if not stores.postgres or not (stores.valkey or self._valkey_was_there):
            return "unready", stores
        return "ready" if stores.valkey else "degraded", stores


async def postgres_answers(url: str) -> bool:
    """Tell whether PostgreSQL at this address runs a statement within a second."""
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
                await connection.execute("SELECT 1")
        return True
    except (psycopg.Error, TimeoutError, OSError):
        return False


async def valkey_answers(url: str) -> bool:
    """Tell whether Valkey at this address answers within a second."""
    # A client of its own: the limit may cancel a command midway, and nobody else reads from this connection.
    client = Redis.from_url(url, retry=Retry(NoBackoff(), 0))
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            await client.ping()
        return True
    except (RedisError, TimeoutError, OSError):
        return False
    finally:
        await client.aclose()


class Operations:
    """Answers the paths of `PATHS`."""

    def __init__(self, drain: Drain, readiness: Readiness, *, token: str) -> None:
        self._drain = drain
        self._readiness = readiness
        self._credential = f"Bearer {token}".encode() if token else None
        self._doors: dict[str, tuple[str, Callable[[Scope, Send], Awaitable[None]]]] = {
            "/healthz": ("GET", self._alive),
            "/readyz": ("GET", self._ready),
            "/metrics": ("GET", self._metrics),
            "/internal/prestop": ("POST", self._announce),
        }

    def owns(self, path: str) -> bool:
        """Tell whether this path is one of ours."""
        return path in self._doors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; no request here has a body that matters."""
        method, door = self._doors[scope["path"]]
        try:
            if scope["method"] != method and not (scope["method"] == "HEAD" and method == "GET"):
                raise MethodNotAllowed(headers={"allow": method})
            await door(scope, send)
        except PlatformError as error:
            await answers.refuse(send, None, error, ids.public("req", ids.uuid7()))

    async def _alive(self, _: Scope, send: Send) -> None:
        await _say(send, 200, {"status": "alive"})

    async def _ready(self, _: Scope, send: Send) -> None:
        if self._drain.leaving:
            await _say(send, 503, {"status": "draining"})
            return
        status, stores = await self._readiness.status()
        facts = {"status": status, "postgres": stores.postgres, "valkey": stores.valkey}
        await _say(send, 503 if status == "unready" else 200, facts)

    async def _metrics(self, scope: Scope, send: Send) -> None:
        self._require_token(scope)
        body = await asyncio.to_thread(metrics.render)
        headers = [(b"content-type", metrics.CONTENT_TYPE.encode()), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _announce(self, scope: Scope, send: Send) -> None:
        self._require_token(scope)
        self._drain.announce()
        await _say(send, 200, {"status": "draining"})

    def _require_token(self, scope: Scope) -> None:
        given = single(scope["headers"], b"authorization") or b""
        if self._credential is None or not hmac.compare_digest(given, self._credential):
            raise NotFound


async def _say(send: Send, status: int, facts: Mapping[str, object]) -> None:
    await send_json(send, status, orjson.dumps(facts))
