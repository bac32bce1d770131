"""An engine that falls silent is given up, whatever its kind, and nobody pays."""

from __future__ import annotations

import asyncio

import pytest

from tests.inference.gateway.engines.fleet import KINDS


@pytest.fixture
def catalogued(catalogued, fresh_database) -> None:
    """Pools wait for a token no longer than this."""
    fresh_database.sql("UPDATE inference_pool SET between_tokens_ms = 300")


async def test_silence_in_a_stream_is_a_timeout_that_is_told_in_band(customer, usage):
    acme = await customer()
    asked = [acme.stream("hi [[sim tokens=9 hang_after=2]]", model=name) for name in KINDS]
    for name, got in zip(KINDS, await asyncio.gather(*asked), strict=True):
        assert not got.complete, name
        assert b'"code":"upstream_timeout"' in got.events[-1], name
    assert {(record["outcome"], record["cost_nusd"]) for record in await usage()} == {("timeout", 0)}
