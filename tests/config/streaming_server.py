"""A web server whose gateway only streams, a line every 50 ms, `?lines=` of them; doors and drain are the real ones.

It logs each stream that it would have settled, so that a test can count what was lost.
"""

import asyncio
import os
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings

from config import server
from foundation import logs
from foundation.web import Receive, Scope, Send

log = logs.get(__name__)
START = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]}


class Streams:
    """Stands in for the gateway."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()
        self._ending = asyncio.Event()

    async def startup(self) -> None:
        log.info("gateway_opened", pid=os.getpid())

    async def shutdown(self) -> None:
        log.info("gateway_closed", pid=os.getpid())

    async def drain(self, seconds: float) -> None:
        if self._running:
            await asyncio.wait(self._running, timeout=seconds)
        self._ending.set()
        if self._running:
            await asyncio.wait(self._running)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        task = asyncio.current_task()
        assert task
        self._running.add(task)
        try:
            await self._stream(int(parse_qs(scope["query_string"])[b"lines"][0]), send)
        finally:
            self._running.discard(task)

    async def _stream(self, lines: int, send: Send) -> None:
        await send(START)
        for number in range(lines):
            if self._ending.is_set():
                break
            await send({"type": "http.response.body", "body": b"%d\n" % number, "more_body": True})
            await asyncio.sleep(0.05)
        log.info("stream_settled")
        await send({"type": "http.response.body", "body": b"drained\n" if self._ending.is_set() else b"done\n"})


def load() -> Callable[..., Any]:
    """Return the platform with streams in the gateway's place."""
    server.load_application()
    from config import asgi, operations  # noqa: PLC0415 - importing it sets Django up, which is for the workers

    return asgi.Platform(
        asgi.pages,
        Streams,
        drain_seconds=settings.DRAIN_SECONDS,
        notice_seconds=settings.DRAIN_NOTICE_SECONDS,
        metrics_token=settings.METRICS_TOKEN,
        readiness=operations.Readiness(settings.DATABASE_URL, settings.REDIS_URL),
    )


if __name__ == "__main__":
    server.main(load)
