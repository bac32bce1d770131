"""A gateway with real stores behind it and two simulated engines before it."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings

from billing import reconciliation
from config.local import catalogue, demo
from config.local.engines import Kind
from inference.gateway.app import Gateway, Options, build_gateway
from inference.models import Pool
from keys.effective import Limits
from tenants import isolation
from tests.databases import Database
from tests.inference.gateway.door import Door
from tests.inference.simulator.client import Simulated, simulator
from tests.threads import off_loop

GENEROUS = Decimal(10)


@pytest.fixture(scope="session")
def engines() -> Iterator[list[Simulated]]:
    """Two replicas."""
    with ExitStack() as stack:
        yield [stack.enter_context(simulator()) for _ in range(2)]


@pytest.fixture
def options(fresh_database: Database) -> Options:
    return Options(
        database_url=fresh_database.url,
        valkey_url=settings.REDIS_URL,
        pepper=settings.KEY_PEPPER.encode(),
        hold_lease_seconds=20,
        concurrency_lease_seconds=15,
        processes=1,
        valkey_timeout_ms=2000,
        receipt_signing_key=settings.RECEIPT_SIGNING_KEY,
        hold_slices=settings.HOLD_SLICES,
    )


@pytest.fixture
def engine_kind() -> str:
    """What the simulated engines are said to be; a test that asks several kinds has one of its own."""
    return Pool.Engine.VLLM


@pytest.fixture
def catalogued(fresh_database: Database, engines: list[Simulated], engine_kind: str) -> None:
    """The simulated model is for sale, behind a pool of this kind."""
    with isolation.everything():
        catalogue.offer(Kind.SIMULATOR, [engine.url for engine in engines])
        Pool.objects.update(engine=engine_kind)


@pytest.fixture
async def gateway(options: Options, catalogued: None) -> AsyncIterator[Gateway]:
    gateway = build_gateway(options)
    await gateway.startup()
    yield gateway
    await gateway.drain(5)
    await gateway.shutdown()


type Found = Callable[..., Door]


@pytest.fixture
def customer(gateway: Gateway):
    """Found an organization and stand before the door with its key: `await customer(credit, rpm=5)`."""

    async def found(credit: Decimal = GENEROUS, name: str = "Acme", **limits: Any) -> Door:
        founded = await off_loop(demo.found)(name=name, credit=credit, limits=Limits(**limits), with_owner=False)
        return Door(gateway, founded.api_key)

    return found


@pytest.fixture
def usage(fresh_database: Database):
    """All usage records as dictionaries, oldest first; the ledger has to be right whenever somebody looks."""

    async def read() -> list[dict[str, object]]:
        assert await off_loop(reconciliation.verify)() == []
        rows = fresh_database.sql("SELECT to_jsonb(u) FROM billing_usagerecord u ORDER BY request_id")
        return [row for (row,) in rows]

    return read
