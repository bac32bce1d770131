"""Endpoints that read and answer with a list: ranks, scores, verdicts, vectors, tokens."""

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from billing import prices, rerating
from foundation import ids
from foundation.errors import InvalidRequest
from inference.gateway.surfaces.moderations import Moderations
from inference.gateway.surfaces.rankings import Rerank, Score
from inference.gateway.surfaces.tokenizing import Tokenize
from tenants import isolation
from tenants.audit import Actor
from tests.threads import off_loop

RERANK, SCORE, MODERATIONS, TOKENIZE = Rerank(), Score(), Moderations(), Tokenize()
QUERY = "What is rain?"

preview = off_loop(rerating.preview)


@pytest.mark.parametrize(
    ("surface", "fields", "named"),
    [
        (RERANK, {"query": "q", "documents": []}, "documents"),
        (RERANK, {"query": "q", "documents": [1]}, "documents"),
        (RERANK, {"query": "q", "documents": [{"title": "x"}]}, "documents"),
        (RERANK, {"query": "q", "documents": ["x"] * 2049}, "documents"),
        (RERANK, {"query": 5, "documents": ["x"]}, "query"),
        (RERANK, {"query": "q", "documents": ["x"], "top_n": -1}, "top_n"),
        (RERANK, {"query": "q", "documents": ["x"], "api_base": "x"}, "api_base"),
        (SCORE, {"text_1": ["a", "b"], "text_2": ["a", "b", "c"]}, "text_1"),
        (SCORE, {"text_1": "a"}, "text_2"),
        (MODERATIONS, {"input": []}, "input"),
        (MODERATIONS, {"input": [{"type": "audio"}]}, "input"),
        (TOKENIZE, {}, "prompt"),
        (TOKENIZE, {"prompt": "a", "messages": [{"role": "user", "content": "a"}]}, "prompt"),
        (TOKENIZE, {"messages": [{"role": "king"}]}, "messages"),
    ],
)
def test_a_wrong_field_is_refused_and_named(surface, fields, named):
    with pytest.raises(InvalidRequest) as refused:
        surface.read({"model": "m", **fields}, size=1)
    assert named in str(refused.value.param)


def test_what_is_read_again_for_every_document_is_bounded_as_often():
    one = RERANK.read({"model": "m", "query": "q" * 1000, "documents": ["a"]}, size=1100)
    many = RERANK.read({"model": "m", "query": "q" * 1000, "documents": ["a"] * 50}, size=1300)
    assert one.size < 1200
    assert many.size > 50 * 1000
    assert many.inputs == 50


async def test_rankings_are_charged_by_what_the_engine_read(customer, usage):
    acme = await customer()
    documents = ["Rain is water.", {"text": "A cat."}, "Sun."]
    ranked = await acme.ask({"model": "sim", "query": QUERY, "documents": documents, "top_n": 2}, path="/v1/rerank")
    scored = await acme.ask({"model": "sim", "text_1": QUERY, "text_2": ["Rain.", "Cat."]}, path="/v1/score")
    assert [result["index"] in range(3) for result in ranked.json["results"]] == [True, True]
    assert [line["index"] for line in scored.json["data"]] == [0, 1]
    assert {ranked.json["model"], scored.json["model"]} == {"sim"}
    for answer, record in zip((ranked, scored), await usage(), strict=True):
        assert record["prompt_tokens"] == answer.json["usage"]["prompt_tokens"] > 0
        assert (record["completion_tokens"], record["usage_source"], record["outcome"]) == (0, "final", "complete")
        assert answer.headers["x-turnpike-cost-nano-usd"] == str(record["cost_nusd"])
        assert 0 < record["cost_nusd"] <= record["hold_nusd"]


async def test_documents_are_left_out_where_they_are_not_wanted(customer):
    acme = await customer()
    body = {"model": "sim", "query": QUERY, "documents": [{"text": "Rain."}, "Sun."]}
    shown = await acme.ask(body, path="/v1/rerank")
    assert {result["document"]["text"] for result in shown.json["results"]} == {"Rain.", "Sun."}
    bare = await acme.ask(body | {"return_documents": False}, path="/v1/rerank")
    assert [sorted(result) for result in bare.json["results"]] == [["index", "relevance_score"]] * 2


def test_engines_are_sent_the_texts_of_objects():
    objects = [{"text": "a"}, "b"]
    assert RERANK.read({"model": "m", "query": "q", "documents": objects}, size=1).fields["documents"] == ["a", "b"]
    assert SCORE.read({"model": "m", "text_1": "a", "text_2": objects}, size=1).fields["text_2"] == ["a", "b"]


async def test_tokens_are_counted_for_nothing(customer, usage):
    acme = await customer()
    counted = await acme.ask({"model": "sim", "prompt": "one two three"}, path="/v1/tokenize")
    of_chat = await acme.ask({"model": "sim", "messages": [{"role": "user", "content": "hi"}]}, path="/v1/tokenize")
    assert counted.json["count"] == len(counted.json["tokens"]) > 0
    assert of_chat.json["count"] > 0
    records = await usage()
    assert [(record["cost_nusd"], record["hold_nusd"]) for record in records] == [(0, 0)] * 2
    assert [record["prompt_tokens"] for record in records] == [0, 0]


async def test_a_corrected_price_makes_nobody_pay_for_counted_tokens(customer, usage):
    acme, asked = await customer(), {"model": "sim", "messages": [{"role": "user", "content": "hi"}]}
    for path in ("/v1/tokenize", "/v1/messages/count_tokens", "/v1/chat/completions"):
        assert (await acme.ask(asked, path=path)).status == 200
    counted, also_counted, chat = await usage()
    began = datetime.fromisoformat(str(counted["started_at"]))
    await publish("sim", began, input=Decimal(5), output=Decimal(5), requests=Decimal(1000))
    (impact,) = await preview(model="sim", since=began - timedelta(seconds=1))
    assert (impact.requests, impact.charged_nusd) == (1, chat["cost_nusd"])
    receipt = await acme.ask(
        b"", method="GET", path=f"/v1/receipts/{ids.public('req', UUID(also_counted['request_id']))}"
    )
    assert (receipt.json["receipt"]["price"], receipt.json["receipt"]["lines"]) == (None, [])


async def test_vectors_come_as_asked(customer, usage):
    acme = await customer()
    plain = await acme.ask({"model": "sim", "input": ["a", "b"], "dimensions": 8}, path="/v1/embeddings")
    coded = await acme.ask({"model": "sim", "input": [1, 2], "encoding_format": "base64"}, path="/v1/embeddings")
    assert [len(item["embedding"]) for item in plain.json["data"]] == [8, 8]
    assert isinstance(coded.json["data"][0]["embedding"], str)
    records = await usage()
    assert [record["prompt_tokens"] for record in records] == [
        plain.json["usage"]["prompt_tokens"],
        coded.json["usage"]["prompt_tokens"],
    ]
    assert all(record["completion_tokens"] == 0 and record["cost_nusd"] > 0 for record in records)


async def test_verdicts_are_charged_by_our_estimate_and_only_where_an_engine_gives_any(customer, usage, fresh_database):
    acme = await customer()
    refused = await acme.ask({"model": "sim", "input": "hi"}, path="/v1/moderations")
    assert (refused.status, refused.error["param"]) == (400, "model")
    fresh_database.sql("UPDATE inference_pool SET engine = 'openai'")
    await acme.gateway._news._reload()
    answer = await acme.ask({"model": "sim", "input": ["hi", "violence"]}, path="/v1/moderations")
    assert [result["flagged"] for result in answer.json["results"]] == [False, True]
    (record,) = await usage()
    assert (record["usage_source"], record["completion_tokens"]) == ("local", 0)
    assert record["cost_nusd"] > 0


async def test_a_fee_for_each_request_is_held_and_charged(customer, usage):
    acme = await customer()
    await publish("sim", requests=Decimal(2000))
    await acme.gateway._news._reload()
    body = {"model": "sim", "query": QUERY, "documents": ["a", "b"]}
    assert (await acme.ask(body, path="/v1/rerank")).status == 200
    assert (await acme.ask({"model": "sim", "prompt": "a"}, path="/v1/tokenize")).status == 200
    ranked, counted = await usage()
    assert (ranked["cost_nusd"], ranked["hold_nusd"], counted["cost_nusd"]) == (2_000_000, 2_000_000, 0)


async def test_a_price_without_a_rate_for_it_sells_nothing(customer, usage):
    acme = await customer()
    await publish("sim", output=Decimal(1))
    await acme.gateway._news._reload()
    answer = await acme.ask({"model": "sim", "input": "hi"}, path="/v1/embeddings")
    assert (answer.status, answer.error["code"]) == (403, "model_not_priced")
    assert await usage() == []


async def publish(model: str, starts: datetime | None = None, **components: Decimal) -> None:
    @off_loop
    def run() -> None:
        with isolation.everything():
            prices.publish(model=model, components=components, actor=Actor.system("tests"), effective_from=starts)

    await run()
