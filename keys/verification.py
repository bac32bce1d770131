"""Who is calling? The gateway's directory of keys: a process cache in front of one query. Hot path: no Django here.

A key is looked up at most once in `fresh_seconds` per process, however many requests bring it at once. What is cached
is dropped at once when news of its organisation arrives (`forget`) and distrusted when a request knows of a newer
version of the organisation than the cache does (`minimum_fence`, read from Valkey with the request's limits).
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from foundation.errors import Overloaded, PlatformError
from keys import caller as callers
from keys import credentials, digests, formats
from keys.caller import KEY_BY_DIGEST, Caller
from keys.errors import InvalidApiKey, KeyExpired

__all__ = ["KEY_BY_DIGEST", "Caller", "Fetch", "KeyDirectory"]

type Fetch = Callable[[bytes], Awaitable[Mapping[str, Any] | None]]
"""Runs KEY_BY_DIGEST with a digest; returns its one JSON object, or None for an unknown key."""

MOST_KEYS = 20_000
MOST_UNKNOWN = 10_000
UNKNOWN_SECONDS = 1.0
RETRY_AFTER_SECONDS = 1.0


@dataclass(slots=True)
class _Entry:
    caller: Caller
    refusal: type[PlatformError] | None
    good_until: float
    fence: int
    loaded_at: float


@dataclass(slots=True, eq=False)
class _Flight:
    """A look-up under way, and the newest version of the organisation that was known when it began."""

    fence: int
    task: asyncio.Task[_Entry | None] = field(init=False)


class KeyDirectory:
    """Answers for one process who is behind a secret. Serves inference keys; a management key is refused."""

    def __init__(self, fetch: Fetch, pepper: bytes, fresh_seconds: float = 5.0) -> None:
        self._fetch = fetch
        self._pepper = pepper
        self._fresh_seconds = fresh_seconds
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()
        self._unknown: OrderedDict[bytes, float] = OrderedDict()
        self._flights: dict[bytes, _Flight] = {}
        self._digests: dict[UUID, set[bytes]] = {}

    def credential(self, headers: Iterable[tuple[bytes, bytes]]) -> str:
        """Return the one secret in a request's headers; see credentials.resolve."""
        return credentials.resolve(headers)

    async def caller(self, secret: str, minimum_fence: int = 0) -> Caller:
        """Return who is calling.

        Raises InvalidApiKey, KeyExpired, KeyRevoked, OrganizationSuspended and ProjectArchived; Overloaded if the
        database does not answer and nothing fresh is cached.
        """
        digest = digests.digest(secret, self._pepper)
        entry = self._entries.get(digest)
        if entry is None or entry.fence < minimum_fence or self._age(entry) >= self._fresh_seconds:
            entry = await self._look_up(secret, digest, minimum_fence)
        if entry.refusal is not None:
            raise entry.refusal
        if entry.good_until <= time.time():
            raise KeyExpired
        return entry.caller

    def forget(self, organization_id: UUID) -> None:
        """Drop what is known of an organisation's keys, and do not keep what look-ups under way are about to bring."""
        for digest in self._digests.pop(organization_id, ()):
            self._entries.pop(digest, None)
        self._flights.clear()

    async def _look_up(self, secret: str, digest: bytes, minimum_fence: int) -> _Entry:
        if not formats.looks_valid(secret) or self._unknown.get(digest, 0.0) > time.monotonic():
            raise InvalidApiKey
        if formats.kind_of(secret) != "inference":
            raise InvalidApiKey("This is a management key. Use an inference key, which starts with tpk_, here.")
        flight = self._flights.get(digest)
        if flight is None or flight.fence < minimum_fence:
            flight = self._start(digest, minimum_fence)
        try:
            # Shielded: one client that leaves must not fail the others who wait for the same key.
            entry = await asyncio.shield(flight.task)
        except Exception as cause:  # noqa: BLE001 - the boundary to the store: whatever it raises, it did not answer
            return self._fallback(digest, cause)
        if entry is None:
            raise InvalidApiKey
        return entry

    def _start(self, digest: bytes, fence: int) -> _Flight:
        flight = _Flight(fence)
        flight.task = asyncio.create_task(self._fly(digest, flight))
        # If every waiting client has left, nobody else would take note of an error.
        flight.task.add_done_callback(lambda task: task.cancelled() or task.exception())
        self._flights[digest] = flight
        return flight

    async def _fly(self, digest: bytes, flight: _Flight) -> _Entry | None:
        started_at = time.monotonic()
        try:
            row = await self._fetch(digest)
        finally:
            # Not the one on record any more: news came meanwhile, and what was read may be older than the news.
            is_current = self._flights.get(digest) is flight
            if is_current:
                del self._flights[digest]
        if row is None:
            self._remember_unknown(digest)
            return None
        entry = _entry(row, started_at, flight.fence)
        if is_current:
            self._remember(digest, entry)
        return entry

    def _fallback(self, digest: bytes, cause: Exception) -> _Entry:
        entry = self._entries.get(digest)
        if entry is not None and self._age(entry) < self._fresh_seconds:
            return entry
        raise Overloaded(retry_after=RETRY_AFTER_SECONDS) from cause

    def _age(self, entry: _Entry) -> float:
        return time.monotonic() - entry.loaded_at

    def _remember(self, digest: bytes, entry: _Entry) -> None:
        self._entries[digest] = entry
        # Ordered by when they were loaded: keys in use are loaded again and again, so the oldest is out of use.
        self._entries.move_to_end(digest)
        self._digests.setdefault(entry.caller.organization_id, set()).add(digest)
        if len(self._entries) > MOST_KEYS:
            self._evict_oldest()

    def _evict_oldest(self) -> None:
        digest, entry = self._entries.popitem(last=False)
        siblings = self._digests[entry.caller.organization_id]
        siblings.discard(digest)
        if not siblings:
            del self._digests[entry.caller.organization_id]

    def _remember_unknown(self, digest: bytes) -> None:
        self._unknown[digest] = time.monotonic() + UNKNOWN_SECONDS
        self._unknown.move_to_end(digest)
        if len(self._unknown) > MOST_UNKNOWN:
            self._unknown.popitem(last=False)


def _entry(row: Mapping[str, Any], loaded_at: float, fence: int) -> _Entry:
    caller = callers.from_row(row, loaded_at)
    return _Entry(
        caller=caller,
        refusal=callers.refusal(row),
        good_until=math.inf if caller.expires_at is None else caller.expires_at,
        # What was read after version `fence` was known includes it, also where a restored database counts lower.
        fence=max(caller.fence, fence),
        loaded_at=loaded_at,
    )
