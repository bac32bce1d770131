"""Valkey for asyncio code: many commands in one write, their replies in the caller's own task, short time limits.

The connections are redis-py's; its pool and its pipelines are not used. They pass a reply through five turns of the
event loop before whoever waits has it, and in a busy process each of those turns takes milliseconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import ConnectionPool
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ReadOnlyError, RedisError, ResponseError

from foundation.stores import StoreDown

CONNECT_SECONDS = 1.0
# A reply passes from the socket to its reader in a few turns of the loop.
TURNS_OF_GRACE = 5

type Command = Sequence[Any]
"""A command's name and its arguments."""


class Valkey:
    """One process's connections to one server: as many as are used at once, kept open."""

    def __init__(self, url: str) -> None:
        # `ask` limits the time of everything: the client's own limits would only cost.
        self._pool = ConnectionPool.from_url(
            url, socket_timeout=None, socket_connect_timeout=CONNECT_SECONDS, retry=Retry(NoBackoff(), 0)
        )
        self._idle: list[AbstractConnection] = []
        self._closed = False

    async def ask(self, commands: Sequence[Command], seconds: float) -> list[Any]:
        """Send commands in one write and return a reply for each; what the server refused is in its place as an error.

        Raises `StoreDown` when it cannot be reached, or does not answer within `seconds`: nothing is known then of what
        the commands did. The connection is closed, so that nobody reads a reply which belongs to somebody else.
        """
        try:
            async with _patience(seconds):
                return await self._converse(commands)
        except (RedisError, OSError, RuntimeError) as error:
            # A RuntimeError is uvloop's way to say that a connection was broken off before it was written to.
            raise StoreDown("valkey") from error

    async def aclose(self) -> None:
        """Close every connection: idle ones now, the others when their replies have come."""
        self._closed = True
        while self._idle:
            await self._idle.pop().disconnect()

    def _made(self) -> AbstractConnection:
        made: AbstractConnection = self._pool.make_connection()  # type: ignore[no-untyped-call]  # redis-py annotates all but this
        return made

    async def _converse(self, commands: Sequence[Command]) -> list[Any]:
        connection = self._idle.pop() if self._idle else self._made()
        try:
            if connection.is_connected and await connection.can_read():
                await connection.disconnect(nowait=True)  # The server has closed it, or speaks unasked.
            await connection.send_packed_command(connection.pack_commands(commands))
            replies = [await _reply(connection) for _ in commands]
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        if self._closed or any(isinstance(reply, ReadOnlyError) for reply in replies):
            # What was the primary is a replica now. Connected anew, the address may lead to the one that took over.
            await connection.disconnect(nowait=True)
        else:
            self._idle.append(connection)
        return replies


async def _reply(connection: AbstractConnection) -> Any:
    try:
        return await connection.read_response()
    except ResponseError as refusal:
        return refusal


@asynccontextmanager
async def _patience(seconds: float) -> AsyncIterator[None]:
    """Raise TimeoutError after so long. A busy event loop is no slow store: what has arrived by then is let in."""
    loop = asyncio.get_running_loop()
    handle: asyncio.Handle

    def look_again(turns: int) -> None:
        nonlocal handle
        if turns:
            handle = loop.call_soon(look_again, turns - 1)
        else:
            limit.reschedule(loop.time())

    async with asyncio.timeout(None) as limit:
        handle = loop.call_later(seconds, look_again, TURNS_OF_GRACE)
        try:
            yield
        finally:
            handle.cancel()
