"""Headers, both ways, against a fixed list: engines see nothing of clients, clients nothing of engines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from tests.inference.gateway.engines.fleet import CREDENTIAL, KINDS
from tests.inference.gateway.engines.recorder import NOSY, Recorder

TO_ENGINES = {"host", "content-length", "content-type", "accept-encoding", "user-agent", "x-request-id"}
ALWAYS = {"content-type", "cache-control", "vary", "x-content-type-options"}
TO_CLIENTS = ALWAYS | {"x-request-id", "x-turnpike-model"}
PLAIN = TO_CLIENTS | {"content-length", "x-turnpike-cost-nano-usd"}
STREAMED = TO_CLIENTS | {"x-accel-buffering"}
REFUSED = TO_CLIENTS | {"content-length"}

CLIENTS = {
    "cookie": "secret",
    "x-forwarded-for": "203.0.113.9",
    "x-real-ip": "203.0.113.9",
    "forwarded": "for=secret",
    "x-request-id": "secret",
    "x-api-key": "",
    "openai-organization": "secret",
    "openai-project": "secret",
    "anthropic-beta": "secret",
    "user-agent": "secret/1",
    "accept": "secret/secret",
    "accept-encoding": "gzip, br",
    "accept-language": "xx",
    "referer": "https://secret/",
    "origin": "https://secret.example",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "baggage": "secret=1",
    "x-turnpike-customer": "secret",
    "x-stainless-lang": "secret",
    "via": "1.1 secret",
    "te": "trailers",
    "priority": "u=1",
    "range": "bytes=0-1",
    "if-none-match": "secret",
    "proxy-authorization": "secret",
}

CHUNK = b'data: {"id":"a","choices":[{"index":0,"delta":{"content":"x"},"text":"x","finish_reason":"stop"}]}\n\n'
TGI = b'data:{"token":{"text":"x","special":false},"generated_text":"x","details":{"finish_reason":"length"}}\n\n'
MESSAGE = {"id": "msg_a", "type": "message", "role": "assistant", "content": [{"type": "text", "text": "x"}]}
USED = {"stop_reason": "end_turn", "usage": {"input_tokens": 1, "output_tokens": 1}}
WHOLE = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "x"}, "text": "x"}], "usage": None}


def _events(*events: dict[str, Any]) -> bytes:
    return b"".join(b"event: %s\ndata: %s\n\n" % (event["type"].encode(), orjson.dumps(event)) for event in events)


SPOKEN = _events(
    {"type": "message_start", "message": MESSAGE | USED | {"content": [], "stop_reason": None}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "x"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}},
    {"type": "message_stop"},
)
RESPONSE = {"id": "resp_a", "object": "response", "status": "completed", "output": []}
RESPONDED = _events(
    {"type": "response.created", "response": RESPONSE},
    {"type": "response.output_text.delta", "item_id": "a", "output_index": 0, "content_index": 0, "delta": "x"},
    {"type": "response.completed", "response": RESPONSE | {"usage": {"input_tokens": 1, "output_tokens": 1}}},
)
JSON, EVENTS = "application/json", "text/event-stream"
BODIES = {
    "/v1/embeddings": (JSON, b'{"data":[{"embedding":[1.0],"index":0}],"usage":{"prompt_tokens":1,"total_tokens":1}}'),
    "/v1/messages/count_tokens": (JSON, b'{"input_tokens":3}'),
    "/v1/messages": (JSON, orjson.dumps(MESSAGE | USED)),
    "/v1/messages streamed": (EVENTS, SPOKEN),
    "/v1/responses": (JSON, orjson.dumps(RESPONSE)),
    "/v1/responses streamed": (EVENTS, RESPONDED),
    "/generate_stream": (EVENTS, TGI),
    "/v2/models/sim/generate": (JSON, b'{"text_output":"x"}'),
    "/v2/models/sim/generate_stream streamed": (EVENTS, b'data: {"text_output":"x"}\n\n'),
} | {
    f"/v1/{path}{how}": (EVENTS, CHUNK + b"data: [DONE]\n\n") if how else (JSON, orjson.dumps(WHOLE))
    for path in ("chat/completions", "completions")
    for how in ("", " streamed")
}

TALK = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 5}
ASKED: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": TALK,
    "/v1/completions": {"prompt": "hi"},
    "/v1/embeddings": {"input": "hi"},
    "/v1/messages": TALK,
    "/v1/messages/count_tokens": {"messages": TALK["messages"]},
    "/v1/responses": {"input": "hi"},
}
STREAMS = {"/v1/chat/completions", "/v1/completions", "/v1/messages", "/v1/responses"}
NOT_SERVED = {
    ("anthropic", "/v1/completions"),
    ("anthropic", "/v1/embeddings"),
    ("mistral", "/v1/completions"),
    *((kind, "/v1/embeddings") for kind in ("tgi", "tgi-text", "triton")),
}


@pytest.fixture
async def recorder(fresh_database, catalogued) -> AsyncIterator[Recorder]:
    """All pools lead to it, each by an address of its own."""
    one = Recorder(bodies=BODIES)
    server = await asyncio.start_server(one.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    # The addresses of one server: a loopback network has many.
    fresh_database.sql(
        "UPDATE inference_replica r SET url = 'http://127.0.0.1:' || %s || '/' || p.name FROM inference_pool p "
        "WHERE p.id = r.pool_id",
        str(port),
    )
    yield one
    server.close()


def headers(path: str) -> dict[str, str]:
    """Return what a nosy client of an endpoint sends."""
    return CLIENTS | ({"anthropic-version": "2023-06-01"} if "messages" in path else {})


async def test_engines_are_sent_what_is_on_the_list_and_clients_are(recorder, customer):
    acme = await customer()
    for name, path in ((name, path) for name in KINDS for path in ASKED):
        for stream in (False, True) if path in STREAMS else (False,):
            body = ASKED[path] | {"model": name} | ({"stream": True} if stream else {})
            recorder.heads.clear()
            recorder.bodies = {f"/{name}{where}": answer for where, answer in BODIES.items()}
            got = await acme.ask(body, path=path, headers=headers(path))
            if (name, path) in NOT_SERVED:
                assert (got.status, got.json["error"]["param"]) == (400, "model"), (name, path)
                continue
            assert got.status == 200, (name, path, got.body)
            for sent in recorder.heads:
                assert set(sent) - credentials(name, sent) == TO_ENGINES, (name, path)
                assert "secret" not in str(sent), (name, path)
                assert acme.key not in str(sent), (name, path)
            _check_client(got, STREAMED if stream else PLAIN, path)


async def test_an_error_of_an_engine_brings_none_of_its_headers(recorder, customer):
    acme = await customer()
    for recorder.status in (400, 401, 429, 500, 503):
        for name in KINDS:
            got = await acme.ask(TALK | {"model": name}, headers=CLIENTS)
            assert got.headers.get("retry-after") in (None, "1"), name
            got.headers.pop("retry-after", None)
            _check_client(got, REFUSED, "/v1/chat/completions")


def credentials(name: str, sent: dict[str, str]) -> set[str]:
    """Return the names of the headers in which an engine gets its credential, which must be the pool's."""
    if name == "anthropic":
        assert (sent["x-api-key"], sent["anthropic-version"]) == (CREDENTIAL, "2023-06-01")
        return {"x-api-key", "anthropic-version"}
    assert sent["authorization"] == f"Bearer {CREDENTIAL}"
    return {"authorization"}


def _check_client(got: Any, listed: set[str], path: str) -> None:
    ours = {"request-id", "x-turnpike-estimated"} if "messages" in path else set()
    assert set(got.headers) - ours == listed, path
    values = {name: NOSY[name] for name in got.headers.keys() & NOSY.keys()}
    assert not {name for name, value in values.items() if got.headers[name] == value}, path
    assert "secret" not in str(got.headers), path
