import gzip
import json
import zlib

import pytest

from inference.simulator import framing

QUICK = "tokens=20 ttft=0 gap=0"


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_split_stream_comes_in_pieces_and_says_the_same(sim, size):
    reply = sim.ask(f"[[sim {QUICK} split={size}]]", stream=True, request_id="same")
    assert max(map(len, reply.chunks)) <= size
    assert (len(reply.deltas), reply.data[-1], reply.whole) == (20, "[DONE]", True)


def test_a_split_body_says_the_same(sim):
    assert sim.ask(f"[[sim {QUICK} split=3]]").json["usage"]["completion_tokens"] == 20


def test_a_split_stream_can_die(sim):
    reply = sim.ask("[[sim tokens=20 ttft=0 gap=0 split=5 die_after=4]]", stream=True)
    assert (len(reply.deltas), reply.whole) == (4, False)


def test_lines_may_end_in_crlf(sim):
    reply = sim.ask(f"[[sim {QUICK} crlf]]", stream=True)
    assert reply.body.count(b"\n") == reply.body.count(b"\r\n") == 2 * len(reply.data)
    assert len(reply.deltas) == 20


def test_comments_stand_between_events(sim):
    reply = sim.ask(f"[[sim {QUICK} comments]]", stream=True)
    assert reply.body.count(b": keep-alive\n\n") == len(reply.data)
    assert len(reply.deltas) == 20


@pytest.mark.parametrize("stream", [False, True])
def test_bad_gzip_claims_gzip_and_is_none(sim, stream):
    reply = sim.ask(f"[[sim {QUICK} bad_gzip]]", stream=stream)
    assert reply.headers["content-encoding"] == "gzip"
    assert reply.whole
    with pytest.raises(zlib.error):
        gzip.decompress(reply.body)


@pytest.mark.parametrize("stream", [False, True])
def test_the_engine_echoes_the_headers_it_received(sim, stream):
    reply = sim.ask("[[sim ttft=0 gap=0 tokens=9 echo_headers]]", stream=stream, request_id="echo-1")
    text = "".join(reply.deltas) if stream else reply.json["choices"][0]["message"]["content"]
    assert json.loads(text)["x-request-id"] == "echo-1"
    assert sim.record("echo-1")["completion_tokens"] == 1


def test_pieces_put_together_are_the_whole():
    assert framing.cut(b"abcdefg", 3) == [b"abc", b"def", b"g"]


def test_a_chunk_names_its_size_in_hexadecimal():
    assert framing.chunk(b"x" * 3000) == b"bb8\r\n" + b"x" * 3000 + b"\r\n"
