"""Engines that answer oddly: what can be read is read, and everything else is an error without a charge."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from tests.inference.gateway.odd_streams import CHUNKED, PLAIN, STREAMED, OddEngine, answer, chunked

USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def chunk(**more: object) -> bytes:
    return orjson.dumps({"id": "c", "object": "chat.completion.chunk", "model": "up", "choices": [], **more})


CONTENT = chunk(choices=[{"index": 0, "delta": {"content": "Grüße 🌍"}, "finish_reason": None}])
FINISH = chunk(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
FINAL = chunk(usage=USAGE)
EVENTS = b"".join(b"data: " + one + b"\n\n" for one in (CONTENT, FINISH, FINAL))
DONE = b"data: [DONE]\n\n"
LINES = (
    b"".join(b"data: " + line + b"\n" for line in orjson.dumps(orjson.loads(CONTENT), option=2).splitlines()) + b"\n"
)


@pytest.fixture
async def odd(fresh_database, catalogued) -> AsyncIterator[OddEngine]:
    engine = OddEngine()
    server = await asyncio.start_server(engine.serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    fresh_database.sql("DELETE FROM inference_replica WHERE id <> (SELECT min(id::text)::uuid FROM inference_replica)")
    fresh_database.sql("UPDATE inference_replica SET url = %s", url)
    yield engine
    server.close()


READ = {
    "until it hangs up": answer(EVENTS + DONE, STREAMED),
    "with CRLF": answer((EVENTS + DONE).replace(b"\n", b"\r\n"), STREAMED),
    "with a byte order mark": answer(b"\xef\xbb\xbf" + EVENTS + DONE, STREAMED),
    "with comments": answer(b": SECRET/1 PROCESSING\n\n" + EVENTS + b": bye\n\n" + DONE, STREAMED),
    "with ids and times to retry": answer(b"retry: 5\n" + EVENTS.replace(b"data:", b"id: 1\ndata:") + DONE, STREAMED),
    "with several data lines": answer(LINES + EVENTS.partition(b"\n\n")[2] + DONE, STREAMED),
    "without an end marker": answer(EVENTS, STREAMED),
    "with two end markers": answer(EVENTS + DONE + DONE, STREAMED),
    "with an end marker without a space": answer(EVENTS + b"data:[DONE]\n\n", STREAMED),
    "after a 103": answer(EVENTS + DONE, STREAMED, before=b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"),
    "with trailers": answer(chunked(EVENTS + DONE, b"x-checksum: 1\r\n"), STREAMED, CHUNKED),
    "with cookies and its own headers": answer(EVENTS + DONE, STREAMED, "set-cookie: a=b", "server: secret/1"),
}


@pytest.mark.parametrize("piece", [2**20, 1], ids=["at once", "byte by byte"])
async def test_every_stream_that_can_be_read_is_read(odd, customer, usage, piece):
    acme = await customer()
    odd.piece = piece
    for name, odd.says in READ.items():
        got = await acme.stream("hi")
        assert (got.status, got.complete, got.text) == (200, True, "Grüße 🌍"), name
        assert got.events.count(b"[DONE]") == 1, name
        assert not {"set-cookie", "server", "x-checksum", "link"} & got.headers.keys(), name
        assert b"SECRET" not in got.body, name
    records = [(one["outcome"], one["usage_source"], one["completion_tokens"]) for one in await usage()]
    assert records == [("complete", "final", 2)] * len(READ)


BROKEN = {
    "JSON without framing": answer(CONTENT + b"\n\n" + FINISH + b"\n\n", STREAMED),
    "the wrong content type": answer(EVENTS + DONE, PLAIN),
    "no content type": answer(EVENTS + DONE),
    "bad gzip": answer(b"\x1f\x8b\x08\x00", STREAMED, "content-encoding: gzip"),
    "a redirect": answer(b"", "location: http://127.0.0.1:1/", status="307 Temporary Redirect"),
    "nothing at all": b"",
    "no HTTP": b"SSH-2.0-OpenSSH_9.7\r\n",
    "an empty stream": answer(b"", STREAMED),
    "a page": answer(b"<html>\n\n", STREAMED),
    "half a chunk": answer(b"ffff\r\ndata: {", STREAMED, CHUNKED),
    "an error first": answer(b'data: {"error": {"message": "secret"}}\n\n', STREAMED),
    "a field that is none": answer(b'error: {"message": "secret"}\n\n', STREAMED),
    "something else than a chunk": answer(b'data: {"detail": "secret"}\n\n' + DONE, STREAMED),
}


async def test_what_is_no_stream_is_an_error_without_a_charge(odd, customer, usage):
    acme = await customer()
    for name, odd.says in BROKEN.items():
        got = await acme.stream("hi")
        assert (got.status, got.error["code"]) == (502, "upstream_error"), name
        assert b"secret" not in got.body, name
    assert [(one["outcome"], one["cost_nusd"]) for one in await usage()] == [("upstream_error", 0)] * len(BROKEN)


ERROR = b'event: error\ndata: {"message": "secret"}\n\n'
GAVE_UP = chunk(choices=[{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}], error={"message": "secret"})
CUT = {
    "an error beside choices": answer(
        EVENTS.partition(b"\n\n")[0] + b"\n\ndata: " + GAVE_UP + b"\n\n" + DONE, STREAMED
    ),
    "an error in the middle": answer(EVENTS.partition(b"\n\n")[0] + b"\n\n" + ERROR + EVENTS + DONE, STREAMED),
    "the connection ends": answer(b"fff\r\n" + EVENTS.partition(b"\n\n")[0] + b"\n\n", STREAMED, CHUNKED),
    "it goes on in HTML": answer(EVENTS.partition(b"\n\n")[0] + b"\n\n<h1>secret</h1>\n\n", STREAMED),
}


async def test_a_stream_that_breaks_is_ended_in_band_without_a_charge(odd, customer, usage):
    acme = await customer()
    for name, odd.says in CUT.items():
        got = await acme.stream("hi")
        assert (got.status, got.complete, got.ended) == (200, False, True), name
        assert b'"code":"upstream_error"' in got.events[-1], name
        assert b"secret" not in got.body, name
    assert [(one["outcome"], one["cost_nusd"]) for one in await usage()] == [("upstream_error", 0)] * len(CUT)


async def test_a_fault_of_ours_while_an_engine_answers_is_settled_and_told_as_the_engines(
    odd, customer, usage, fresh_database, monkeypatch
):
    acme = await customer()
    odd.says = answer(EVENTS + DONE, STREAMED)
    monkeypatch.setattr("inference.gateway.engines.openai_wires.ByteStream.feed", lambda stream, chunk: 1 / 0)
    got = await acme.stream("hi")
    assert (got.status, got.error["code"]) == (502, "upstream_error")
    assert [(one["outcome"], one["cost_nusd"]) for one in await usage()] == [("upstream_error", 0)]
    assert fresh_database.sql("SELECT count(*) FROM audit_hold") == [(0,)]


TRUE = {"role": "assistant", "content": "hi"}
NO_ANSWERS: tuple[Any, ...] = (
    {"choices": []},
    {"choices": [1]},
    {"choices": [{"index": 0, "finish_reason": "stop"}]},
    {"choices": [{"index": 0, "message": "hi"}]},
    {"choices": [{"index": 0, "message": TRUE, "finish_reason": "error"}]},
    {"choices": [{"index": 0, "message": TRUE, "error": {"message": "secret"}}]},
    {"choices": [{"index": 0, "message": TRUE}], "error": {"message": "secret"}},
    {"error": {"message": "secret"}},
    {"detail": "secret"},
    ["secret"],
    "secret",
    None,
)


async def test_a_whole_answer_that_is_none_is_an_error_without_a_charge(odd, customer, usage):
    acme = await customer()
    for said in NO_ANSWERS:
        odd.says = answer(orjson.dumps(said if not isinstance(said, dict) else {**said, "usage": USAGE}), PLAIN)
        got = await acme.chat("hi")
        assert (got.status, got.error["code"]) == (502, "upstream_error"), said
        assert b"secret" not in got.body, said
    assert [(one["outcome"], one["cost_nusd"]) for one in await usage()] == [("upstream_error", 0)] * len(NO_ANSWERS)


async def test_a_provider_is_not_named_in_a_stream(odd, customer):
    acme = await customer()
    named = chunk(provider="secret", x_groq={"id": "secret"}, sglext={"routed_experts": "secret"}, usage=USAGE)
    odd.says = answer(EVENTS.partition(b"\n\n")[0] + b"\n\ndata: " + named + b"\n\n" + DONE, STREAMED)
    got = await acme.stream("hi", stream_options={"include_usage": True})
    assert (got.complete, orjson.loads(got.events[-2])["usage"]) == (True, USAGE)
    assert b"secret" not in got.body
