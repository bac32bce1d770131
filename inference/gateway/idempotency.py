"""Idempotency-Key: a request that is repeated reaches an engine once and is charged once.

A key is claimed in Postgres before anything else happens. Whoever finds it claimed for the same body waits for the
first one's settlement and gets its outcome, without content: what was asked and answered is never kept. A claim stands
for as long as its request runs or has delivered something; one that was refused, failed or died can be claimed anew.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

from foundation import ids
from foundation.errors import InvalidRequest, Overloaded, PlatformError
from foundation.stores import Postgres, Row
from foundation.web import single
from inference.gateway.errors import IdempotencyKeyReused
from inference.gateway.orders import Http
from inference.gateway.wanted import Outcome
from keys.verification import Caller

HEADER = b"idempotency-key"
LONGEST = 255
FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 1.0
PATIENCE_SECONDS = 600.0
"""How long the second one waits for the first: as long as a request may take (architecture §4.3)."""

# Taken over: a claim older than a day, one whose request delivered nothing, one whose process died before its hold.
# Without OFFSET the planner may read all holds there are into a hash, to look for one of them.
CLAIM = """
INSERT INTO inference_idempotencyclaim AS c (organization_id, key, fingerprint, request_id, created_at)
VALUES (%(organization)s, %(key)s, %(fingerprint)s, %(request)s, now())
ON CONFLICT (organization_id, key) DO UPDATE
SET fingerprint = EXCLUDED.fingerprint, request_id = EXCLUDED.request_id, created_at = EXCLUDED.created_at
WHERE c.created_at < now() - interval '1 day' OR (c.fingerprint = EXCLUDED.fingerprint AND (
    EXISTS (
        SELECT FROM billing_usagerecord u
        WHERE u.request_id = c.request_id AND u.outcome NOT IN ('complete', 'client_left', 'out_of_credit') OFFSET 0
    ) OR (
        c.created_at < now() - interval '1 minute'
        AND NOT EXISTS (SELECT FROM billing_usagerecord u WHERE u.request_id = c.request_id OFFSET 0)
        AND NOT EXISTS (SELECT FROM billing_hold h WHERE h.request_id = c.request_id OFFSET 0)
    )))
RETURNING c.request_id
"""
OUTCOME = """
SELECT c.fingerprint, c.request_id, u.model, u.prompt_tokens, u.cached_tokens, u.completion_tokens, u.cost_nusd, u.at
FROM inference_idempotencyclaim c
    LEFT JOIN billing_usagerecord u
        ON u.request_id = c.request_id AND u.outcome IN ('complete', 'client_left', 'out_of_credit')
WHERE c.organization_id = %(organization)s AND c.key = %(key)s
"""
WITHDRAW = "DELETE FROM inference_idempotencyclaim WHERE organization_id = %s AND key = %s AND request_id = %s"


# Most requests bring no key.
_NOT_CLAIMED: AbstractAsyncContextManager[None] = nullcontext()


class Idempotency:
    """The claims of all organizations."""

    def __init__(self, postgres: Postgres, secret: bytes) -> None:
        self._postgres = postgres
        # Derived, so that a fingerprint is of no use against the digests of keys, nor they against it.
        self._secret = hashlib.blake2b(secret, person=b"idempotency").digest()

    def once(
        self, http: Http, caller: Caller, body_digest: bytes, patience_seconds: float = PATIENCE_SECONDS
    ) -> AbstractAsyncContextManager[Outcome | None]:
        """Yield None to the one who is to do the work, and to the others what came of it.

        A claim whose work was refused before it ran is withdrawn. Raises `InvalidRequest`, `IdempotencyKeyReused`, and
        `Overloaded` when the first one takes longer than `patience_seconds`.
        """
        key = _key(http)
        return _NOT_CLAIMED if key is None else self._once(http, caller, key, body_digest, patience_seconds)

    @asynccontextmanager
    async def _once(
        self, http: Http, caller: Caller, key: str, body_digest: bytes, patience_seconds: float
    ) -> AsyncIterator[Outcome | None]:
        outcome = await self._claim(http, caller, key, body_digest, patience_seconds)
        try:
            yield outcome
        except PlatformError:
            if outcome is None:
                await self._postgres.fetch(WITHDRAW, (caller.organization_id, key, http.request_id))
            raise

    async def _claim(self, http: Http, caller: Caller, key: str, body_digest: bytes, patience: float) -> Outcome | None:
        fingerprint = hashlib.blake2b(body_digest, key=self._secret, digest_size=32).digest()
        facts = {
            "organization": caller.organization_id,
            "key": key,
            "fingerprint": fingerprint,
            "request": http.request_id,
        }
        loop = asyncio.get_running_loop()
        deadline, pause = loop.time() + patience, FIRST_PAUSE_SECONDS
        while not await self._postgres.fetch(CLAIM, facts):
            rows = await self._postgres.fetch(OUTCOME, facts)
            if rows and bytes(rows[0][0]) != fingerprint:
                raise IdempotencyKeyReused(param="Idempotency-Key")
            if rows and rows[0][2] is not None:
                return _outcome(rows[0])
            if loop.time() + pause > deadline:
                raise Overloaded("The first request under this Idempotency-Key is still running.", retry_after=5)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        return None


def _key(http: Http) -> str | None:
    raw = single(http.scope["headers"], HEADER)
    if raw is None:
        return None
    key = raw.decode("latin-1")
    if not (0 < len(key) <= LONGEST and key.isascii() and key.isprintable()):
        raise InvalidRequest(
            f"Idempotency-Key: send 1 to {LONGEST} printable ASCII characters.", param="Idempotency-Key"
        )
    return key


def _outcome(row: Row) -> Outcome:
    _, request_id, *facts = row
    return Outcome(ids.public("req", request_id), *facts)
