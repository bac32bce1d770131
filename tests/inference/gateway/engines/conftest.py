"""One gateway before engines of every kind."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from inference.gateway.app import Gateway, Options, build_gateway
from tenants import isolation
from tests.databases import Database
from tests.inference.gateway.engines.fleet import CREDENTIAL, CREDENTIAL_ENV, KINDS, offer, pool
from tests.inference.simulator.client import Simulated, simulator

# A replica's address belongs to one pool, so each kind has a simulator of its own.
PERSONALITIES = {kind.name: kind.personality for kind in KINDS.values()}


@pytest.fixture(scope="session")
def simulators() -> Iterator[dict[str, Simulated]]:
    """A simulator for each kind, all started at once."""
    with ExitStack() as stack, ThreadPoolExecutor(len(KINDS)) as together:

        def start(personality: str) -> Simulated:
            return stack.enter_context(
                simulator("--engine", personality, "--api-key", CREDENTIAL, "--speed", "1000000")
            )

        yield dict(zip(PERSONALITIES, together.map(start, PERSONALITIES.values()), strict=True))


@pytest.fixture
def catalogued(fresh_database: Database, simulators: dict[str, Simulated], monkeypatch) -> None:
    """A model of each kind is for sale, under the kind's name."""
    monkeypatch.setenv(CREDENTIAL_ENV, CREDENTIAL)
    with isolation.everything():
        for kind in KINDS.values():
            on = pool(kind.name, kind.engine, [simulators[kind.name].url])
            offer(kind.name, on, template=kind.template)


@pytest.fixture
async def gateway(options: Options, catalogued: None) -> AsyncIterator[Gateway]:
    gateway = build_gateway(options)
    await gateway.startup()
    yield gateway
    await gateway.drain(5)
    await gateway.shutdown()
