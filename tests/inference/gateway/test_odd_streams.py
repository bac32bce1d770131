"""Streams that are odd, at every endpoint: what can be read is read, and all else is an error without a charge.

Plain chat has the same in test_odd_engines.py, which tries what only a chat can have.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from config.local import ports
from inference.gateway.surfaces.router import ROUTES
from tenants import isolation
from tests.inference.gateway import odd_streams, shop
from tests.inference.gateway.door import Answer, Door
from tests.inference.gateway.odd_streams import STREAMED, TEXT, OddEngine, answer, script
from tests.inference.gateway.shop import ENGINE_OF
from tests.inference.gateway.stream_clients import REQUESTS, Told, ending, said
from tests.tables.streams import WAYS, End, Way

TEXTUAL = [way for way in WAYS if way.unit != "characters"]
NO_CHAT = [way for way in TEXTUAL if way.surface != "chat.completions"]
PATHS = {surface.name: path for path, surface in ROUTES.items()}


@pytest.fixture
def places() -> dict[bool, int]:
    """Ports for the engine as one that is native, and as one that only chats."""
    return {bridged: ports.free() for bridged in ENGINE_OF}


@pytest.fixture
def catalogued(fresh_database, places) -> None:
    with isolation.everything():
        shop.sell({bridged: f"http://127.0.0.1:{port}" for bridged, port in places.items()})


@pytest.fixture
async def odd(places) -> AsyncIterator[OddEngine]:
    engine = OddEngine()
    servers = [await asyncio.start_server(engine.serve, "127.0.0.1", port) for port in places.values()]
    yield engine
    for server in servers:
        server.close()


async def ask(door: Door, way: Way) -> Answer:
    request: dict[str, Any] = REQUESTS[way.surface](shop.model(way.bridged), "hi", False)
    if "json" in request:
        return await door.ask(request["json"], path=PATHS[way.surface])
    return await door.ask(request["content"], path=PATHS[way.surface], headers=request["headers"])


def end(way: Way, got: Answer) -> tuple[int, End | None, str]:
    """Return how it ended; a client that is told of two ends or of none is told nothing."""
    try:
        return got.status, *ending(way.surface, _told(got))
    except AssertionError:
        return got.status, None, ""


def _told(got: Answer) -> Told:
    return Told(got.status, got.headers, got.body, got.ended)


SETTLED, BROKEN = (200, End.SETTLED, ""), (200, End.BROKEN, "upstream_error")
REFUSED = (502, End.REFUSED, "upstream_error")


@pytest.mark.parametrize("piece", [2**20, 1], ids=["at once", "byte by byte"])
async def test_every_stream_that_can_be_read_is_read(odd, customer, usage, piece):
    acme, odd.piece = await customer(), piece
    asked = [(way, name, says) for way in NO_CHAT for name, says in odd_streams.read(script(way)).items()]
    wrong = []
    for way, name, odd.says in asked:
        got = await ask(acme, way)
        leaked = {"set-cookie", "server", "x-checksum", "link"} & got.headers.keys()
        if leaked or end(way, got) != SETTLED or said(_told(got)) != TEXT:
            wrong.append((way.name, name, got.status, got.body[-300:]))
    assert wrong == []
    for (way, name, _), record in zip(asked, await usage(), strict=True):
        expected = (0, 2, "local") if way.unit else (2, 0, "final")
        found = (record["completion_tokens"], record["quantity"], record["usage_source"])
        assert (record["outcome"], *found) == ("complete", *expected), (way.name, name)


async def test_what_is_no_stream_is_an_error_without_a_charge(odd, customer, usage):
    acme, wrong = await customer(), []
    asked = [(way, name, says) for way in NO_CHAT for name, says in odd_streams.broken(script(way)).items()]
    for way, name, odd.says in asked:
        got = await ask(acme, way)
        if end(way, got) != REFUSED or b"secret" in got.body:
            wrong.append((way.name, name, got.status, got.body[-300:]))
    assert wrong == []
    assert {(one["outcome"], one["cost_nusd"]) for one in await usage()} == {("upstream_error", 0)}


async def test_a_stream_that_breaks_is_ended_in_band_without_a_charge(odd, customer, usage):
    acme, wrong = await customer(), []
    asked = [(way, name, says) for way in NO_CHAT for name, says in odd_streams.cut(script(way)).items()]
    for way, name, odd.says in asked:
        got = await ask(acme, way)
        if end(way, got) != BROKEN or b"secret" in got.body:
            wrong.append((way.name, name, got.status, got.body[-300:]))
    assert wrong == []
    assert {(one["outcome"], one["cost_nusd"]) for one in await usage()} == {("upstream_error", 0)}


async def test_an_end_marker_alone_costs_nothing(odd, customer, usage):
    acme, odd.says = await customer(), answer(odd_streams.DONE, STREAMED)
    for way in TEXTUAL:
        await ask(acme, way)
    assert [one["cost_nusd"] for one in await usage()] == [0] * len(TEXTUAL)


async def test_a_megabyte_in_one_event_and_ten_thousand_events_in_one_read_arrive(odd, customer, usage):
    acme, long = await customer(), "ü" * 2**19
    for way in TEXTUAL:
        odd.piece = 2**16
        odd.says = answer(script(way).whole(long), STREAMED)
        assert said(_told(await ask(acme, way))) == long, way.name
        odd.piece = 2**24
        odd.says = answer(script(way).whole(*["x"] * 10_000), STREAMED)
        got = await ask(acme, way)
        assert (end(way, got), said(_told(got))) == (SETTLED, "x" * 10_000), way.name
    assert {one["outcome"] for one in await usage()} == {"complete"}
