"""Translations, each against a file that was written from the public API references and not from our code."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.errors import InvalidRequest
from inference.gateway.engines.bridge import chunks
from inference.gateway.engines.message_streams import events
from inference.gateway.streams import Blocks
from inference.gateway.surfaces.chat import Chat
from inference.gateway.surfaces.messages import Messages
from inference.gateway.translation.claude_answer import completion
from inference.gateway.translation.claude_events import ChatChunks
from inference.gateway.translation.claude_request import message_request
from inference.gateway.translation.messages_answer import message
from inference.gateway.translation.messages_events import MessageEvents
from inference.gateway.translation.messages_request import chat_request

GOLDEN = Path(__file__).parent / "golden"
COUNTED = {"completion_tokens": 3}
USAGE = {"prompt_tokens": 12, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 4}}


def cases(name: str) -> list[Any]:
    found = json.loads((GOLDEN / f"{name}.json").read_text())
    return [pytest.param(case, id=case["case"]) for case in found]


def data(body: bytes) -> list[Any]:
    lines = [line.removeprefix(b"data: ") for line in body.split(b"\n") if line.startswith(b"data: ")]
    return [orjson.loads(line) for line in lines]


def as_events(stream: list[Any]) -> bytes:
    teller = MessageEvents("public")
    told = b"".join(teller.chunk(chunk) for chunk in stream)
    return told + b"".join(teller.end(COUNTED))


@pytest.mark.parametrize("case", cases("messages_to_chat"))
def test_a_request_for_a_message_is_put_as_chat(case):
    asked = Messages().read(case["messages"], 100, b"").fields
    assert chat_request(asked) == case["chat"]


@pytest.mark.parametrize("case", cases("chat_to_messages"))
def test_a_request_for_a_completion_is_put_as_messages(case):
    asked = Chat().read(case["chat"], 100, b"").fields
    assert message_request(asked) == case["messages"]


@pytest.mark.parametrize("case", cases("completion_to_message"))
def test_a_completion_becomes_a_message(case):
    assert message(case["completion"], "public", COUNTED) == case["message"]


@pytest.mark.parametrize("case", cases("message_to_completion"))
def test_a_message_becomes_a_completion(case):
    assert completion(case["message"], USAGE, model="public", created=1) == case["completion"]


@pytest.mark.parametrize("case", cases("chunks_to_events"))
def test_chunks_become_events(case):
    assert data(as_events(case["chunks"])) == case["events"]


@pytest.mark.parametrize("case", cases("events_to_chunks"))
def test_events_become_chunks(case):
    told = ChatChunks(model="public", created=1, include_usage=True, continuous_usage=False)
    body = b"".join(told.event(event, USAGE) for event in case["events"]) + told.last(USAGE)
    assert data(body) == case["chunks"]


CANNOT = [
    {"n": 2},
    {"logprobs": True},
    {"response_format": {"type": "json_object"}},
    {"reasoning_effort": "endless"},
    {"tools": [{"type": "custom", "custom": {"name": "a"}}]},
    {"messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}]},
    {"messages": [{"role": "function", "content": "x"}]},
    {"messages": [{"role": "assistant", "tool_calls": [{"id": "a", "function": {"name": "a", "arguments": "{"}}]}]},
    {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
]


@pytest.mark.parametrize("fields", CANNOT, ids=[json.dumps(fields)[:60] for fields in CANNOT])
def test_what_claude_cannot_do_is_refused(fields):
    asked = {"model": "m", "messages": [{"role": "user", "content": "hi"}], **fields}
    with pytest.raises(InvalidRequest):
        message_request(Chat().read(asked, 100).fields)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
DELTAS = st.one_of(
    st.builds(lambda text: {"content": text}, TEXT),
    st.builds(lambda text: {"reasoning_content": text}, TEXT),
    st.builds(
        lambda index, text: {"tool_calls": [{"index": index, "id": f"t{index}", "function": _function(index, text)}]},
        st.integers(0, 2),
        TEXT,
    ),
)


def _function(index: int, text: str) -> dict[str, str]:
    return {"name": f"tool{index}", "arguments": orjson.dumps(text).decode()[:-1]}


def _chunk(delta: dict[str, Any]) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "choices": [{"index": 0, "delta": delta}]}


@settings(max_examples=200, deadline=None)
@given(st.lists(DELTAS, max_size=12), st.randoms(use_true_random=False), st.sampled_from([b"\n\n", b"\r\n\r\n"]))
def test_a_stream_cut_anywhere_gives_the_same_events_and_they_are_well_formed(deltas, rng: random.Random, ending):
    stream = [_chunk(delta) for delta in deltas]
    raw = b"".join(b"data: " + orjson.dumps(chunk) + ending for chunk in stream)
    blocks, teller, told, start = Blocks(), MessageEvents("public"), b"", 0
    while start < len(raw):
        size = rng.randint(1, 40)
        told += b"".join(map(teller.chunk, chunks(blocks.feed(raw[start : start + size]))))
        start += size
    told += b"".join(teller.end(COUNTED))
    assert told == as_events(stream)
    _check_order(data(told), deltas)


def _check_order(seen: list[Any], deltas: list[Any]) -> None:
    """Blocks start in order, are written to only while open, and all are closed before the message ends."""
    is_open: set[int] = set()
    started = 0
    for event in seen:
        match event["type"]:
            case "content_block_start":
                assert event["index"] == started
                started += 1
                is_open.add(event["index"])
            case "content_block_delta":
                assert event["index"] in is_open
            case "content_block_stop":
                is_open.remove(event["index"])
            case "message_delta":
                assert not is_open
    said = "".join(delta.get("content", "") for delta in deltas)
    deltas_told = [event["delta"] for event in seen if event["type"] == "content_block_delta"]
    assert "".join(delta.get("text", "") for delta in deltas_told) == said
    assert seen[-1]["type"] == "message_stop"


def test_events_are_read_with_their_bytes_and_without_what_is_none():
    block = b': hi\n\nevent: ping\ndata: {"type":"ping"}\n\ndata: [DONE]\n\ndata: {"type":"a","text":"[DONE]"}\n\n'
    assert [event["type"] for _, event in events(block)] == ["ping", "a"]
