"""Postgres for asyncio code: short timeouts, and one error when a store is down.

The gateway's; Django code uses the ORM instead. Its other store is in `valkey.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from foundation import metrics
from foundation.errors import Overloaded

RETRY_AFTER_SECONDS = 1.0

# A server that may not be written any more is as good as none.
_AWAY = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.ReadOnlySqlTransaction, PoolTimeout)

type Row = tuple[Any, ...]


class StoreDown(Overloaded):
    """A store did not answer in time, or not at all. Nothing is known of what it did."""

    message = "The service is busy. Try again shortly."

    def __init__(self, store: str) -> None:
        super().__init__(retry_after=RETRY_AFTER_SECONDS)
        self.store = store


@dataclass(frozen=True, slots=True)
class PostgresLimits:
    """Bounds of one process's Postgres pool. Milliseconds; `statement_ms` from architecture §4.3."""

    connections: int = 6
    connect_ms: int = 2000
    wait_ms: int = 2000
    statement_ms: int = 5000

    @property
    def answer_seconds(self) -> float:
        """How long a statement may take as seen from here: what the server allows itself, and its way to us."""
        return self.statement_ms / 1000 + 0.5


class Postgres:
    """A small pool of connections in autocommit: one statement is one transaction is one round trip.

    Its connections see every tenant (`turnpike.scope` is `all`): it serves the gateway, which takes the
    organization from the verified credential.
    """

    def __init__(self, conninfo: str, limits: PostgresLimits = PostgresLimits()) -> None:
        self._limits = limits
        # Plans are kept while tables grow: one that reads a whole table, because it was small then, must not be made.
        options = f"-c statement_timeout={limits.statement_ms} -c turnpike.scope=all -c jit=off -c enable_seqscan=off"
        self._pool = AsyncConnectionPool(
            make_conninfo(
                conninfo, options=options, connect_timeout=max(1, limits.connect_ms // 1000), application_name="gateway"
            ),
            min_size=1,
            max_size=limits.connections,
            timeout=limits.wait_ms / 1000,
            kwargs={"autocommit": True, "prepare_threshold": 1},
            reconnect_timeout=10,
            open=False,
        )
        self._is_down = False

    async def open(self) -> None:
        """Start connecting in the background; a Postgres that is down does not stop the process."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.close()

    async def fetch(self, statement: str, parameters: Sequence[object] | Mapping[str, object] = ()) -> list[Row]:
        """Run one statement and return its rows.

        Raises `StoreDown` when Postgres cannot be reached or takes too long; other database errors as they are.
        """
        # A server that is frozen, or a network that is cut, enforces no limit of its own. The statement is cancelled
        # aside: psycopg asks the server to, waits for seconds, and closes the connection if nothing comes of it.
        # Begun at once: a turn of a busy event loop takes longer than the statement's way to the server.
        loop = asyncio.get_running_loop()
        task = asyncio.Task(self._run(statement, parameters), loop=loop, eager_start=True)
        try:
            await asyncio.wait({task}, timeout=self._limits.answer_seconds)
        finally:
            if not task.done():
                _give_up(task)
        if not task.done():
            self._note(is_down=True)
            raise StoreDown("postgres")
        return task.result()

    async def _run(self, statement: str, parameters: Sequence[object] | Mapping[str, object]) -> list[Row]:
        try:
            async with self._pool.connection() as connection:
                rows = await _executed(connection, statement, parameters)
        except _AWAY as error:
            if isinstance(error, psycopg.errors.SerializationFailure | psycopg.errors.DeadlockDetected):
                raise
            self._note(is_down=True)
            raise StoreDown("postgres") from error
        self._note(is_down=False)
        return rows

    def _note(self, *, is_down: bool) -> None:
        if is_down is not self._is_down:
            self._is_down = is_down
            metrics.dependency_degraded("postgres").set(is_down)


async def _executed(
    connection: psycopg.AsyncConnection, statement: str, parameters: Sequence[object] | Mapping[str, object]
) -> list[Row]:
    try:
        cursor = await connection.execute(statement, parameters)
        return await cursor.fetchall() if cursor.description else []
    except psycopg.errors.ReadOnlySqlTransaction:
        # What was the primary is a standby now. Connected anew, the address may lead to the one that took over.
        await connection.close()
        raise


def _give_up(task: asyncio.Task[list[Row]]) -> None:
    task.cancel()
    task.add_done_callback(lambda late: late.cancelled() or late.exception())
