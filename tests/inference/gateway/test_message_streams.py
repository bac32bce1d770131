"""Messages as bytes: what goes through goes through unchanged, wherever the reads were cut."""

import random

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.gateway.engines.message_streams import STOP, MessageStream, write
from inference.gateway.errors import UpstreamError

START = {
    "type": "message_start",
    "message": {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "secret/model",
        "content": [],
        "stop_reason": None,
        "usage": {
            "input_tokens": 8,
            "cache_read_input_tokens": 3,
            "cache_creation_input_tokens": 1,
            "output_tokens": 1,
        },
        "kv_transfer_params": {"host": "secret"},
    },
}
ENDS = {
    "type": "message_delta",
    "delta": {"stop_reason": "end_turn"},
    "usage": {"output_tokens": 9, "internal": "secret"},
}


def delta(text: str) -> bytes:
    # Spaces as no encoder of ours writes them: bytes that come out are bytes that went in.
    return (
        b'event: content_block_delta\ndata: {"type": "content_block_delta", "delta": {"text": %s}}\n\n'
        % orjson.dumps(text)
    )


def write_all(*texts: str) -> bytes:
    return b"".join([write(b"message_start", START), *map(delta, texts), write(b"message_delta", ENDS), STOP])


TEXTS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), max_size=8)


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.randoms(use_true_random=False), st.booleans())
def test_a_message_cut_anywhere_passes_unchanged_but_for_its_name(texts, rng: random.Random, crlf):
    raw = write_all(*texts, "[DONE] message_stop error")
    raw = raw.replace(b"\n", b"\r\n") if crlf else raw
    stream, body, marker, start = MessageStream("public"), b"", b"", 0
    while start < len(raw):
        size = rng.randint(1, 60)
        passage = stream.feed(raw[start : start + size])
        body, marker, start = body + passage.body, marker + passage.marker, start + size
    deltas = b"".join(map(delta, [*texts, "[DONE] message_stop error"]))
    assert body.endswith(deltas.replace(b"\n", b"\r\n") if crlf else deltas)
    assert b"secret" not in body + marker
    assert (b'"public"' in body, marker.count(b"event: message_stop")) == (True, 1)


def test_usage_is_the_last_of_each_kind_in_openais_words():
    stream = MessageStream("public")
    stream.feed(write_all("a", "b"))
    assert stream.final
    assert stream.usage() == {
        "prompt_tokens": 12,
        "completion_tokens": 9,
        "prompt_tokens_details": {"cached_tokens": 3},
    }


@pytest.mark.parametrize(("many", "count"), [(False, 2), (True, 5 + 1)])
def test_until_the_end_output_is_counted_by_pieces_or_by_their_length(many, count):
    stream = MessageStream("public", many_a_piece=many)
    stream.feed(write(b"message_start", START) + delta("a" * 16) + delta("b"))
    assert (stream.final, stream.outputs, stream.usage()["completion_tokens"]) == (False, count, count)


def test_what_tells_the_end_is_held_back_and_told_even_if_message_stop_is_missing():
    stream = MessageStream("public")
    passage = stream.feed(write_all("a").removesuffix(STOP))
    assert (b"stop_reason" in passage.body.split(b"}}", 1)[1], passage.marker) == (False, b"")
    assert stream.finish() == write(b"message_delta", {**ENDS, "usage": {"output_tokens": 9}}) + STOP
    assert MessageStream("public").finish() == b""


@pytest.mark.parametrize(
    "error",
    [
        b'event: error\ndata: {"type":"error"}\n\n',
        b'data: {"type":"error"}\n\n',
        b'data: {"error":{}}\n\n',
        b"<html>\n\n",
    ],
)
def test_an_error_ends_it_and_nothing_of_it_is_told(error):
    stream = MessageStream("public")
    assert stream.feed(delta("a") + error + delta("b")) == (delta("a"), b"", True)


@pytest.mark.parametrize("event", [b"event: message_start\ndata: {}\n\n", b"event: message_delta\ndata: [\n\n"])
def test_what_makes_no_sense_is_an_error_of_the_engine(event):
    with pytest.raises(UpstreamError):
        MessageStream("public").feed(event)
