"""What changed elsewhere: the catalogue and the organizations, heard at once by publish, found by polling otherwise."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError

from foundation import logs
from foundation.errors import PlatformError
from foundation.stores import Postgres
from inference.gateway.credentials import Credentials
from inference.gateway.loading import load

if TYPE_CHECKING:
    from inference.gateway.endpoints import Services

log = logs.get(__name__)

CATALOGUE_CHANNEL = "turnpike:catalogue"
CONFIGURATION_CHANNEL = "turnpike:config"
POLL_SECONDS = 5.0
RETRY_SECONDS = 1.0


class News:
    """Keeps a process's view of catalogue and keys fresh: at once with Valkey, within five seconds without."""

    def __init__(self, url: str, postgres: Postgres, services: Services, credentials: Credentials) -> None:
        self._url = url
        self._postgres = postgres
        self._credentials = credentials
        self._services = services
        self._changed = asyncio.Event()
        self._loops: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Load the catalogue now if Postgres answers, and start listening."""
        await self._reload()
        self._loops = [
            asyncio.create_task(self._poll(), name="catalogue"),
            asyncio.create_task(self._listen(), name="news"),
        ]

    async def stop(self) -> None:
        """Stop listening."""
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)

    async def _reload(self) -> None:
        try:
            self._services.catalogue = await load(self._postgres, self._credentials)
        except PlatformError as error:
            log.warning("catalogue_not_loaded", reason=type(error).__name__)

    async def _poll(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._changed.wait()
            self._changed.clear()
            try:
                await self._reload()
            except Exception:  # Whatever it was: without this loop no change would ever be heard of again.
                log.exception("catalogue_not_loaded")

    async def _listen(self) -> None:
        while True:
            # A connection of its own: a subscriber waits without a time limit, and may be cancelled.
            client = Redis.from_url(self._url)
            try:
                async with client.pubsub() as pubsub:
                    await pubsub.subscribe(CATALOGUE_CHANNEL, CONFIGURATION_CHANNEL)
                    async for message in pubsub.listen():
                        self._hear(message)
            except (RedisError, OSError) as error:
                log.warning("news_interrupted", reason=type(error).__name__)
            finally:
                await client.aclose()
            await asyncio.sleep(RETRY_SECONDS)

    def _hear(self, message: dict[str, object]) -> None:
        channel, data = message.get("channel"), message.get("data")
        if message.get("type") != "message" or not isinstance(data, bytes):
            return
        if channel == CATALOGUE_CHANNEL.encode():
            self._changed.set()
        else:
            with suppress(ValueError):
                organization_id = UUID(data.decode())
                self._services.directory.forget(organization_id)
                self._services.finer.forget(organization_id)
