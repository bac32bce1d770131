"""What the gateway looks up for a request is reached by its key, however many others there are."""

from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
import pytest
from django.conf import settings

from billing import receipts
from config.local import demo
from foundation import ids
from foundation.stores import Postgres, PostgresLimits
from inference.gateway.idempotency import CLAIM, OUTCOME, WITHDRAW
from keys import digests
from keys.effective import Limits
from keys.finer import LIMITS_OF_SUBJECTS
from keys.subjects import CUSTOMER, Subject
from keys.verification import KEY_BY_DIGEST
from tests.databases import Database
from tests.threads import off_loop

ROUNDS = 10
OTHERS = 2_000
MOST_READ = 60

# Others like what is there: of the same organization, where that makes sense.
COPY = """
INSERT INTO {table} SELECT copied.* FROM {table} one, generate_series(1, {others}) n,
    jsonb_populate_record(one, jsonb_build_object('n', n, {changes})) copied
WHERE {which}
"""
FILLED = {
    "tenants_organization": ("true", "'id', uuidv7(), 'slug', 'other-' || n"),
    "keys_apikey": ("one.kind = 'inference'", "'id', uuidv7(), 'lineage', uuidv7(), 'digest', sha256(n::text::bytea)"),
    "keys_scopelimits": (
        "one.scope = 'organization'",
        "'id', uuidv7(), 'scope', 'customer', 'scope_id', uuidv7(), 'label', 'other-' || n",
    ),
    "inference_idempotencyclaim": ("one.key = 'first'", "'id', 1000 + n, 'key', 'other-' || n, 'request_id', uuidv7()"),
    "billing_usagerecord": ("true", "'request_id', uuidv7()"),
    "billing_hold": ("true", "'request_id', uuidv7()"),
}
READ = """
SELECT (SELECT sum(seq_tup_read) FROM pg_stat_user_tables) + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes)
"""
ENDED = """
INSERT INTO billing_usagerecord
    (request_id, organization_id, project_id, key_id, model, outcome, usage_source, started_at, at)
VALUES (%s, %s, uuidv7(), uuidv7(), 'sim', 'complete', 'final', now(), now())
"""
RUNNING = """
INSERT INTO billing_hold
    (request_id, organization_id, project_id, key_id, model, customer, purses, amount_nusd, expires_at, created_at,
     recalled)
VALUES (%s, %s, uuidv7(), uuidv7(), 'sim', '', '{}', 1, now() + interval '1 day', now(), false)
"""
CLAIMED = """
INSERT INTO inference_idempotencyclaim (request_id, organization_id, key, fingerprint, created_at)
VALUES (%s, %s, %s, 'x', now() - interval '5 minutes')
"""

founded = off_loop(demo.found)


class Gateway:
    """What a gateway asks Postgres, with what it asks for."""

    def __init__(self, postgres: Postgres, organization: UUID, secret: str, request: UUID) -> None:
        self._postgres = postgres
        self._organization = organization
        self._digest = digests.digest(secret, settings.KEY_PEPPER.encode())
        self._request = request

    async def ask(self, statement: str, parameters: Any) -> list[tuple[Any, ...]]:
        return await self._postgres.fetch(statement, parameters)

    async def key(self) -> None:
        ((found,),) = await self.ask(KEY_BY_DIGEST, (self._digest,))
        assert UUID(found["organization_id"]) == self._organization

    async def finer(self) -> None:
        subject = Subject(self._organization, CUSTOMER, "ada")
        item = {"organization": self._organization, "scope": CUSTOMER, "scope_id": subject.scope_id, "text": "ada"}
        assert len(await self.ask(LIMITS_OF_SUBJECTS, (orjson.dumps([item]).decode(),))) == 1

    async def claim(self) -> None:
        facts = self._facts("mine")
        assert await self.ask(CLAIM, facts)
        assert await self.ask(OUTCOME, facts)
        await self.ask(WITHDRAW, (self._organization, "mine", facts["request"]))

    async def claimed_before(self) -> None:
        assert await self.ask(CLAIM, self._facts("first")) == []

    async def claimed_and_running(self) -> None:
        assert await self.ask(CLAIM, self._facts("running")) == []

    async def receipt(self) -> None:
        ((found,),) = await self.ask(receipts.FIND, receipts.parameters(self._organization, self._request))
        assert orjson.loads(found)["record"]

    def _facts(self, key: str) -> dict[str, object]:
        return {"organization": self._organization, "key": key, "fingerprint": b"x", "request": ids.uuid7()}


LOOK_UPS = [
    Gateway.key,
    Gateway.finer,
    Gateway.claim,
    Gateway.claimed_before,
    Gateway.claimed_and_running,
    Gateway.receipt,
]


@pytest.fixture
async def asking(fresh_database: Database) -> AsyncIterator[Gateway]:
    """One request has ended that was claimed as `first`, and one runs on that was claimed as `running`."""
    acme = await founded(name="Acme", credit=Decimal(1), limits=Limits(rpm=1000), with_owner=False)
    organization, first, running = acme.organization.pk, ids.uuid7(), ids.uuid7()
    fresh_database.sql(ENDED, first, organization)
    fresh_database.sql(RUNNING, running, organization)
    fresh_database.sql(CLAIMED, first, organization, "first")
    fresh_database.sql(CLAIMED, running, organization, "running")
    postgres = Postgres(fresh_database.url, PostgresLimits(connections=1))
    await postgres.open()
    yield Gateway(postgres, organization, acme.api_key, first)
    await postgres.close()


def fill(database: Database) -> None:
    for table, (which, changes) in FILLED.items():
        database.sql(COPY.format(table=table, which=which, changes=changes, others=OTHERS))


@pytest.mark.parametrize("look_up", LOOK_UPS, ids=lambda look_up: look_up.__name__)
async def test_a_look_up_reads_no_more_of_full_tables_than_of_empty_ones(
    fresh_database: Database, asking: Gateway, look_up: Callable[[Gateway], Awaitable[None]]
):
    async def asked() -> int:
        for _ in range(ROUNDS):
            await look_up(asking)
        # The connection reports what it has read when it is told to, else within a second.
        await asking.ask("SELECT pg_stat_force_next_flush()", ())
        ((rows,),) = fresh_database.sql(READ)
        return int(rows)

    await asked()
    fill(fresh_database)
    ((before,),) = fresh_database.sql(READ)
    after = await asked()
    assert after - before < ROUNDS * MOST_READ
