"""GET /v1/receipts/{request_id} and /v1/receipts/keys: what a request cost, signed, and what to check it with."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson

from billing import receipts
from foundation import clock, ids
from foundation.errors import NotFound
from foundation.signing import Signer
from foundation.stores import Postgres
from foundation.web import Header, send_json
from inference.gateway.orders import Http
from keys.verification import KeyDirectory

PRIVATE: Header = (b"cache-control", b"no-store")
PUBLIC: Header = (b"cache-control", b"public, max-age=300")


class Receipts:
    """Answers from the usage records. Off the hot path: each is one query."""

    def __init__(self, postgres: Postgres, directory: KeyDirectory, signer: Signer) -> None:
        self._postgres = postgres
        self._directory = directory
        self._signer = signer

    async def retrieve(self, http: Http, name: str) -> None:
        """Serve GET /v1/receipts/{request_id} to any key of the organization whose request it is.

        Raises `NotFound` for another organization's, for an unknown one and for what is no id: all look alike.
        """
        caller = await self._directory.caller(self._directory.credential(http.scope["headers"]))
        try:
            request_id = ids.parse("req", name)
        except ValueError:
            raise _nothing() from None
        finding = await self._find(caller.organization_id, request_id)
        jws = None if finding.receipt is None else self._signer.sign(finding.receipt)
        await _answer(http, receipts.envelope(name, finding, jws), PRIVATE)

    async def _find(self, organization_id: UUID, request_id: UUID) -> receipts.Finding:
        rows = await self._postgres.fetch(receipts.FIND, receipts.parameters(organization_id, request_id))
        finding = receipts.read(rows[0][0], at=clock.now())
        if finding.receipt is None and not finding.in_progress:
            raise _nothing()
        return finding

    async def publish_keys(self, http: Http) -> None:
        """Serve GET /v1/receipts/keys to anybody."""
        await _answer(http, self._signer.keys, PUBLIC)


def _nothing() -> NotFound:
    return NotFound("There is no receipt with this id.")


async def _answer(http: Http, value: dict[str, Any], header: Header) -> None:
    await send_json(http.send, 200, orjson.dumps(value), [(b"x-request-id", http.public_id.encode()), header])
