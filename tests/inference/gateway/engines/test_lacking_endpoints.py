"""Engines that turn out not to have an endpoint that their kind may have: the client is told so, once and for all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import orjson
import pytest

from tenants import isolation
from tests.inference.gateway.engines.fleet import offer, pool
from tests.inference.gateway.engines.recorder import Recorder

EMBED = {"input": "hi"}


@pytest.fixture
async def lacking(fresh_database) -> AsyncIterator[Recorder]:
    """An engine that answers everything with one status and one text."""
    recorder = Recorder()
    server = await asyncio.start_server(recorder.serve, "127.0.0.1", 0)
    recorder.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield recorder
    server.close()


@pytest.fixture
def catalogued(catalogued, lacking, simulators) -> None:
    """`bare` runs on that engine alone, `twice` also on one that has vectors."""
    with isolation.everything():
        without = pool("without", "compatible", [lacking.url])
        offer("bare", without)
        offer("twice", without, pool("with", "sglang", [f"{simulators['sglang'].url}/"]))


async def ask(acme, lacking: Recorder, model: str, status: int, said: bytes, path: str, **fields: object):
    lacking.status, lacking.bodies = status, {path: ("application/json", said)}
    return await acme.ask({"model": model, **fields}, path=path)


@pytest.mark.parametrize(
    ("status", "said"),
    [(404, b'{"detail":"Not Found"}'), (404, b""), (405, b'{"detail":"SECRET"}'), (501, b'{"error":"SECRET sim"}')],
)
async def test_an_endpoint_that_no_engine_of_the_model_has_is_the_clients_mistake(
    customer, usage, lacking, status, said
):
    acme = await customer()
    answer = await ask(acme, lacking, "bare", status, said, "/v1/embeddings", **EMBED)
    assert (answer.status, answer.json["error"]["code"]) == (400, "invalid_request")
    assert answer.json["error"]["param"] == "model"
    assert answer.json["error"]["message"] == "The model bare does not serve /v1/embeddings."
    (record,) = await usage()
    assert (record["cost_nusd"], record["outcome"]) == (0, "upstream_error")


async def test_anthropics_clients_are_told_in_their_words(customer, lacking):
    acme = await customer()
    fields = {"max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}
    lacking.status = 404
    answer = await acme.ask({"model": "bare", "stream": True, **fields}, path="/v1/messages")
    error = answer.json["error"]
    assert (answer.status, error["type"]) == (400, "invalid_request_error")
    assert error["message"] == "The model bare does not serve /v1/messages."


async def test_a_model_that_the_engine_does_not_know_stays_the_platforms_mistake(customer, lacking):
    acme = await customer()
    said = orjson.dumps({"error": {"message": "The model `sim` does not exist.", "type": "NotFoundError"}})
    answer = await ask(acme, lacking, "bare", 404, said, "/v1/embeddings", **EMBED)
    assert (answer.status, answer.json["error"]["code"]) == (502, "upstream_error")


async def test_an_endless_refusal_is_the_engines_failure(customer, lacking):
    acme = await customer()
    answer = await ask(acme, lacking, "bare", 404, b"x" * 100_000, "/v1/embeddings", **EMBED)
    assert (answer.status, answer.json["error"]["code"]) == (502, "upstream_error")


async def test_another_pool_that_has_the_endpoint_serves_it(customer, usage, lacking):
    acme = await customer()
    for _ in range(4):
        answer = await ask(acme, lacking, "twice", 501, b"{}", "/v1/embeddings", **EMBED)
        assert (answer.status, len(answer.json["data"])) == (200, 1)
    assert lacking.heads
    assert {(record["pool"], record["outcome"]) for record in await usage()} == {("with", "complete")}
