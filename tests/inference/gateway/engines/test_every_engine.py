"""What a customer gets from every kind of engine, what it costs, and what becomes of it when it goes wrong."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from tests.inference.gateway.door import Answer, Door
from tests.inference.gateway.engines.fleet import KINDS
from tests.inference.simulator.client import eventually
from tests.threads import off_loop

MESSAGES = "/v1/messages"
ANTHROPICS = {"anthropic-version": "2023-06-01"}


def charged(record: dict[str, Any]) -> int:
    """What these tokens cost, in nano-dollars."""
    cached = record["cached_tokens"]
    return int((record["prompt_tokens"] - cached) * 500 + cached * 250 + record["completion_tokens"] * 1500)


async def test_a_plain_answer_is_told_in_openais_words_and_charged_by_the_engines_usage(customer, usage):
    acme = await customer()
    for name in KINDS:
        got = await acme.chat("hi [[sim tokens=5]]", model=name)
        assert got.status == 200, (name, got.body)
        assert (got.json["model"], got.json["object"]) == (name, "chat.completion"), name
        choice = got.json["choices"][0]
        assert choice["message"]["content"].strip(), name
        assert choice["finish_reason"] == "stop", name
        assert got.json["usage"]["completion_tokens"] == 5, name
    for record in await usage():
        assert (record["outcome"], record["usage_source"]) == ("complete", "final"), record["model"]
        assert record["prompt_tokens"] > 0, record["model"]
        assert record["completion_tokens"] == 5, record["model"]
        assert record["cost_nusd"] == charged(record), record["model"]


async def test_a_stream_is_told_in_openais_chunks_and_charged_by_the_engines_last_word(customer, usage):
    acme = await customer()
    for name in KINDS:
        got = await acme.stream("hi [[sim tokens=5]]", model=name, stream_options={"include_usage": True})
        assert (got.status, got.complete) == (200, True), (name, got.body)
        chunks = [orjson.loads(event) for event in got.events[:-1]]
        assert {chunk["model"] for chunk in chunks} == {name}
        assert got.text.strip(), name
        reasons = [choice["finish_reason"] for chunk in chunks for choice in chunk["choices"]]
        assert [reason for reason in reasons if reason] == ["stop"], name
        assert chunks[-1]["choices"] == [], name
        assert chunks[-1]["usage"]["completion_tokens"] == 5, name
        assert sum(bool(chunk.get("usage")) for chunk in chunks) == 1, name
    for record in await usage():
        assert (record["outcome"], record["usage_source"]) == ("complete", "final"), record["model"]
        assert (record["completion_tokens"], record["cost_nusd"]) == (5, charged(record)), record["model"]


async def test_completions_come_from_every_engine_that_has_them(customer, usage):
    acme = await customer()
    for name in KINDS.keys() - {"anthropic", "mistral"}:
        for stream in (False, True):
            body = {"model": name, "prompt": "hi [[sim tokens=4]]", "stream": stream}
            got = await acme.ask(body, path="/v1/completions")
            answers = [orjson.loads(event) for event in got.events if event != b"[DONE]"] if stream else [got.json]
            assert {one["object"] for one in answers} == {"text_completion"}, name
            assert "".join(choice["text"] for one in answers for choice in one["choices"]).strip(), name
    assert {(record["completion_tokens"], record["usage_source"]) for record in await usage()} == {(4, "final")}


async def test_what_an_engine_does_not_count_is_counted_here(customer, usage):
    acme = await customer()
    for name in KINDS.keys() - {"anthropic"}:
        assert (await acme.stream("hi [[sim tokens=6 usage=none]]", model=name)).complete, name
    for record in await usage():
        assert (record["outcome"], record["usage_source"]) == ("complete", "local"), record["model"]
        assert (record["completion_tokens"], record["cost_nusd"]) == (6, charged(record)), record["model"]


async def test_who_leaves_stops_the_engine_and_pays_for_what_came(customer, usage, simulators):
    acme = await customer()

    def some_text(answer: Answer) -> bool:
        return answer.body.count(b'"content":"') > 2

    async def leave(name: str) -> None:
        got = await acme.stream("hi [[sim tokens=200 gap=20]]", model=name, leave=some_text)
        assert not got.complete, name
        request = f"req_{got.headers['x-request-id'].removeprefix('req_')}"
        ended = await off_loop(lambda: eventually(lambda: _ended(simulators[name], request)))()
        assert ended == "client_gone", name

    await asyncio.gather(*(leave(name) for name in KINDS))
    for record in await usage():
        name = record["model"]
        assert record["outcome"] == "client_left", name
        assert 0 < record["completion_tokens"] < 100, name
        assert record["cost_nusd"] == charged(record), name
        if name != "anthropic":
            assert record["usage_source"] == ("continuous" if KINDS[name].running else "local"), name


def _ended(simulated: Any, request: str) -> str | None:
    found = [one for one in simulated.witness()["requests"] if one["request_id"] == request]
    return found[-1]["ended"] if found and found[-1]["ended_at"] else None


REFUSALS = {400: "invalid_request", 422: "invalid_request", 429: "overloaded", 500: "upstream_error"} | {
    401: "upstream_error",
    404: "upstream_error",
    503: "overloaded",
}


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
async def test_what_an_engine_says_of_its_errors_stays_inside(customer, usage, stream):
    acme = await customer()

    async def refused(name: str, status: int, code: str) -> None:
        got = await acme.chat(f"hi [[sim status={status}]]", model=name, stream=stream)
        assert got.error["code"] == code, (name, status)
        assert b"simulated" not in got.body, (name, status)
        assert b"directive" not in got.body, (name, status)

    for name in KINDS:
        await asyncio.gather(*(refused(name, status, code) for status, code in REFUSALS.items()))
    assert {record["cost_nusd"] for record in await usage()} == {0}


async def test_an_engine_that_fails_on_its_way_is_told_in_band_without_a_charge(customer, usage):
    acme = await customer()
    for name in KINDS:
        for directive in ("err_event=3", "die_after=3", "rst_after=3"):
            got = await acme.stream(f"hi [[sim tokens=8 {directive}]]", model=name)
            assert not got.complete, (name, directive)
            assert got.ended, (name, directive)
            assert b'"code":"upstream_error"' in got.events[-1], (name, directive)
            assert b"simulated" not in got.body, (name, directive)
            assert b"directive" not in got.body, (name, directive)
            plain = await acme.chat(f"hi [[sim tokens=8 {directive}]]", model=name)
            assert (plain.status, plain.error["code"]) == (502, "upstream_error"), (name, directive)
            assert b"simulated" not in plain.body, (name, directive)
    assert {(record["outcome"], record["cost_nusd"]) for record in await usage()} == {("upstream_error", 0)}


ODDITIES = ("dup_done", "split=3", "crlf", "comments", "set_cookie", "usage=final", "usage=continuous")


async def test_however_an_engine_frames_its_stream_it_is_read(customer, usage):
    acme = await customer()
    for name in KINDS:
        for directive in ODDITIES:
            got = await acme.stream(f"hi [[sim tokens=4 {directive}]]", model=name)
            assert got.complete, (name, directive)
            assert got.events.count(b"[DONE]") == 1, (name, directive)
            assert got.text.strip(), (name, directive)
            assert "set-cookie" not in got.headers, (name, directive)
        got = await acme.stream("hi [[sim tokens=4 bad_gzip]]", model=name)
        assert (got.status, got.error["code"]) == (502, "upstream_error"), name
    complete = [record for record in await usage() if record["outcome"] == "complete"]
    assert len(complete) == len(KINDS) * len(ODDITIES)
    assert {record["completion_tokens"] for record in complete} == {4}


async def test_a_forgotten_end_marker_is_no_failure_where_the_answer_is_whole(customer, usage):
    acme = await customer()
    for name in KINDS:
        got = await acme.stream("hi [[sim tokens=4 no_done]]", model=name, stream_options={"include_usage": True})
        # Its native stream has no marker but the last event, which says how the answer ended.
        assert got.complete is (name != "tgi-text"), name
    records = {record["model"]: (record["outcome"], record["completion_tokens"]) for record in await usage()}
    assert records.pop("tgi-text")[0] == "upstream_error"
    assert set(records.values()) == {("complete", 4)}


async def test_nothing_and_zero_are_what_they_are_with_every_engine(customer, usage):
    acme = await customer()
    for name in KINDS:
        await acme.stream("hi [[sim tokens=3 usage=zero]]", model=name)
        await acme.stream("hi [[sim hang_after=0]]", model=name, leave=lambda answer: False, gone=_at_once())
    assert {record["cost_nusd"] for record in await usage()} == {0}


def _at_once() -> asyncio.Event:
    gone = asyncio.Event()
    asyncio.get_running_loop().call_later(0.05, gone.set)
    return gone


async def test_anthropics_messages_come_from_every_engine(customer, usage):
    acme = await customer()
    asked = {"max_tokens": 50, "messages": [{"role": "user", "content": "hi [[sim tokens=5]]"}]}
    for name in KINDS:
        plain = await acme.ask(asked | {"model": name}, path=MESSAGES, headers=ANTHROPICS)
        assert plain.status == 200, (name, plain.body)
        assert plain.json["content"][0]["text"].strip(), (name, plain.body)
        assert plain.json["usage"]["output_tokens"] == 5, name
        streamed = await acme.ask(asked | {"model": name, "stream": True}, path=MESSAGES, headers=ANTHROPICS)
        assert streamed.events, name
        assert orjson.loads(streamed.events[-1])["type"] == "message_stop", name
        assert b'"stop_reason":"end_turn"' in streamed.body, name
        assert b'"output_tokens":5' in streamed.body, name
    assert {(record["outcome"], record["completion_tokens"]) for record in await usage()} == {("complete", 5)}


async def test_a_member_of_a_bridge_pays_as_in_chat_when_it_leaves(customer, usage):
    acme: Door = await customer()
    asked = {
        "max_tokens": 500,
        "stream": True,
        "messages": [{"role": "user", "content": "hi [[sim tokens=200 gap=20]]"}],
    }
    for name in ("triton", "tgi-text", "mistral"):
        await acme.ask(
            asked | {"model": name},
            path=MESSAGES,
            headers=ANTHROPICS,
            leave=lambda answer: answer.body.count(b"text_delta") > 2,
        )
    for record in await usage():
        assert record["outcome"] == "client_left", record["model"]
        assert record["cost_nusd"] == charged(record) > 0, record["model"]


@pytest.mark.parametrize("name", ["llamacpp", "sglang", "tgi"])
async def test_engines_take_a_text_apart_in_their_own_words(customer, usage, name):
    acme = await customer()
    got = await acme.ask({"model": name, "prompt": "twelve bytes"}, path="/v1/tokenize")
    assert (got.status, got.json["count"], len(got.json["tokens"])) == (200, 3, 3), got.body
    talk = {"model": name, "messages": [{"role": "user", "content": "hi"}]}
    refused = await acme.ask(talk, path="/v1/tokenize")
    assert (refused.status, refused.error["param"]) == (400, "messages")
    if name != "tgi":
        back = await acme.ask({"model": name, "tokens": got.json["tokens"]}, path="/v1/detokenize")
        assert back.json == {"prompt": "twelve bytes"}
    assert {record["cost_nusd"] for record in await usage()} == {0}
