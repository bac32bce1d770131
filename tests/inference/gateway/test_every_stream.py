"""Everything that an engine can do to a stream, at every endpoint that streams: what is charged and what is told.

The rows and the columns are in tests/tables/streams.py; here each pair of them is tried over sockets, all at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, fields
from typing import Any, get_args

import httpx
import orjson
import pytest

from foundation import ids
from foundation.errors import InvalidRequest
from inference.gateway.engines.bridge import Bridged
from inference.gateway.engines.kinds import ENGINES
from inference.gateway.surfaces.router import ROUTES
from inference.gateway.surfaces.surface import Surface
from inference.simulator.directives import HUGE, Directive, UsageKind
from tests.inference.gateway import shop
from tests.inference.gateway.forms import FORM
from tests.inference.gateway.media import CHARACTER, SECOND
from tests.inference.gateway.shop import CACHED, ENGINE_OF, INPUT, OUTPUT
from tests.inference.gateway.small_requests import ASKED, STREAMED_FORM
from tests.inference.gateway.stream_clients import REQUESTS, Told, ending, pieces, tell
from tests.inference.simulator.client import eventually, simulator
from tests.installation import Installation
from tests.tables.streams import FAILED, ROWS, WAYS, End, Row, Usage, Way

AT_ONCE = 32
PATIENCE = {"first_byte_ms": 3000, "between_tokens_ms": 3000}


@dataclass(frozen=True)
class Cell:
    """What came of one pair: what the client was told, what the books say, and what the engine saw."""

    told: Told
    record: dict[str, Any]
    seen: dict[str, Any]


type Cells = dict[tuple[Way, Row], Cell]


@pytest.fixture(scope="module")
def cells(installation: Installation) -> Iterator[Cells]:
    """Everything, asked once."""
    with ExitStack() as stack:
        engines = {bridged: stack.enter_context(simulator("--speed", "inf")) for bridged in ENGINE_OF}
        with installation.django():
            shop.sell({bridged: engine.url for bridged, engine in engines.items()}, **PATIENCE)
        stack.callback(_close, installation)
        # What engines claim with `usage=huge` is charged, and nobody is to run out of credit by it.
        acme = installation.organization(credit="900000")
        http: dict[str, Any] = {
            "base_url": acme.base_url,
            "headers": {"authorization": f"Bearer {acme.api_key}"},
            "trust_env": False,
        }
        with httpx.Client(**http) as client:
            eventually(lambda: shop.model(bridged=True) in client.get("/models").text)
        told = asyncio.run(_ask_everything(http))
        query = "SELECT to_jsonb(u) FROM billing_usagerecord u WHERE organization_id = %s"
        records = {record["request_id"]: record for (record,) in installation.sql(query, acme.id)}
        seen = {one["request_id"]: one for engine in engines.values() for one in engine.witness()["requests"]}
        assert acme.api_key not in str([one.body for one in told.values()])
        yield {pair: _cell(one, records, seen) for pair, one in told.items()}


def _close(installation: Installation) -> None:
    with installation.django():
        shop.close()


async def _ask_everything(http: dict[str, Any]) -> dict[tuple[Way, Row], Told]:
    places, told = asyncio.Semaphore(AT_ONCE), {}

    async def ask(client: httpx.AsyncClient, way: Way, row: Row) -> None:
        request = REQUESTS[way.surface](shop.model(way.bridged), _text(row), "tools" in row.directive)
        path = next(path for path, surface in ROUTES.items() if surface.name == way.surface)
        async with places:
            told[way, row] = await tell(client, path.removeprefix("/v1"), request)

    # Those that hang first, so that nobody has to wait for them in the end.
    rows = sorted(ROWS, key=lambda row: "hang" not in row.directive)
    limits = httpx.Limits(max_connections=2 * AT_ONCE)
    async with httpx.AsyncClient(**http, limits=limits, timeout=30) as client:
        await asyncio.gather(*(ask(client, way, row) for row in rows for way in WAYS))
    return told


def _text(row: Row) -> str:
    return f"hi [[sim {row.directive}{'' if 'ttft' in row.directive else ' ttft=1 gap=0'}]]"


def _cell(told: Told, records: dict[str, Any], seen: dict[str, Any]) -> Cell:
    request = told.headers["x-request-id"]
    return Cell(told, records[str(ids.parse("req", request))], seen[request])


def expected_end(way: Way, row: Row) -> tuple[int, End, str]:
    """Whoever has got nothing yet is told by a status; sound has no words for what went wrong."""
    if row.end is End.BROKEN and not (row.tokens or way.opens):
        return (502 if row.code == FAILED else 504), End.REFUSED, row.code
    in_words = row.end is End.REFUSED or way.unit != "characters"
    return row.status, row.end, row.code if in_words else ""


def expected_pieces(way: Way, row: Row, cell: Cell) -> int | None:
    if way.unit == "characters" and row.end is End.SETTLED:
        return 5 if row.directive.startswith("tokens=5") else pieces(way.surface, cell.told)
    return pieces(way.surface, cell.told) if row.tokens is None else row.tokens


def expected_source(way: Way, row: Row) -> str:
    """Where the numbers of the record come from."""
    if row.end is End.SETTLED:
        return "local" if way.unit or row.usage is Usage.UNTOLD else "final"
    _, end, _ = expected_end(way, row)
    if way.unit or end is End.REFUSED:
        return "none"
    return "continuous" if way.runs else "local" if row.tokens else "none"


def expected_cost(way: Way, row: Row, cell: Cell) -> int:
    """Return nano-dollars, by what the engine's own log says that it wrote."""
    if row.end is not End.SETTLED:
        return 0
    if way.unit:
        # The recording has a second and a half.
        return 2 * SECOND if way.unit == "seconds" else len(_text(row)) * CHARACTER
    if row.tokens == 0:
        return 0
    prompt, made, cached = cell.seen["prompt_tokens"], cell.seen["completion_tokens"], cell.record["cached_tokens"]
    match row.usage:
        case Usage.ZERO:
            return 0
        case Usage.HUGE:
            return HUGE * (INPUT + OUTPUT)
        case Usage.UNTOLD:
            prompt = cell.record["prompt_tokens"]
            assert prompt > 0
    return (prompt - cached) * INPUT + cached * CACHED + made * OUTPUT


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_a_stream_ends_for_its_client_and_in_the_books_as_in_the_table(cells: Cells, way: Way):
    expected, found = {}, {}
    for published in ROWS:
        cell, row = cells[way, published], way.own(published)
        outcome = "complete" if way.unit and row.outcome == "no_output" else row.outcome
        expected[row.directive] = (
            *expected_end(way, row),
            expected_pieces(way, row, cell),
            outcome,
            expected_source(way, row),
            expected_cost(way, row, cell),
        )
        record = cell.record
        assert record["status"] == cell.told.status, row.directive
        found[row.directive] = (
            cell.told.status,
            *ending(way.surface, cell.told),
            pieces(way.surface, cell.told),
            *(record[name] for name in ("outcome", "usage_source", "cost_nusd")),
        )
    assert found == expected


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_nothing_of_the_engine_or_of_a_key_shows_in_a_stream(cells: Cells, way: Way):
    for row in ROWS:
        told = cells[way, row].told
        assert not {"set-cookie", "content-encoding", "location"} & told.headers.keys(), row.directive
        assert b"simulated" not in told.body, row.directive


def test_the_books_are_right_after_all_of_it(cells: Cells, installation: Installation):
    assert installation.verify_ledger() == []


def test_every_directive_has_a_row():
    words = {word for row in ROWS for word in row.directive.split()}
    assert {word.partition("=")[0] for word in words} == {field.name for field in fields(Directive)}
    assert {word for word in words if word.startswith("usage=")} == {f"usage={kind}" for kind in get_args(UsageKind)}
    faults = ("die_after", "rst_after", "hang_after")
    assert {f"{fault}={after}" for fault in faults for after in (-1, 0, 2)} <= words


def test_every_endpoint_that_streams_has_a_column_for_each_way_to_an_engine():
    ways = {
        (surface.name, isinstance(engine.wires[surface.name], Bridged))
        for surface in ROUTES.values()
        for engine in ENGINES.values()
        if surface.name in engine.wires and _streams(surface)
    }
    assert {(way.surface, way.bridged) for way in WAYS} == ways


def _streams(surface: Surface) -> bool:
    asked = ASKED[surface.path]
    is_form = isinstance(asked, bytes)
    bodies = (asked, STREAMED_FORM) if is_form else (orjson.dumps(asked), orjson.dumps(asked | {"stream": True}))
    for body in bodies:
        try:
            if surface.parse(body, FORM["content-type"].encode() if is_form else b"", b"").stream:
                return True
        except InvalidRequest:  # It knows no field `stream`.
            continue
    return False
