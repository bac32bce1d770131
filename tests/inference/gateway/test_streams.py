"""Streams arrive byte-equal wherever they are cut, and say what they said."""

import random
from itertools import pairwise

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.gateway.errors import UpstreamError
from inference.gateway.streams import LONGEST_EVENT, Blocks, Meter, Rewriter, split_at_done, split_at_error

USAGE = {"prompt_tokens": 3, "total_tokens": 8, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 0}}


def event(value: object, end: bytes = b"\n\n") -> bytes:
    return b"data: " + orjson.dumps(value) + end


def chunk(content: str, **more: object) -> dict[str, object]:
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": None}
    return {"id": "chatcmpl-1", "model": "upstream", "choices": [choice], **more}


STREAM = (
    event(chunk(""))
    + event(chunk("Grüße 🌍"), b"\r\n\r\n")
    + b": comment\n\n"
    + event(chunk('{"a":"[DONE]\n\n"}'))
    + event({"id": "chatcmpl-1", "model": "upstream", "choices": [], "usage": USAGE})
)
MARKER = b"data: [DONE]\n\n"


def through(parts: list[bytes]) -> tuple[bytes, bytes]:
    blocks, forwarded = Blocks(), b""
    for part in parts:
        block, marker = split_at_done(blocks.feed(part))
        forwarded += block
        if marker:
            return forwarded, marker
    return forwarded, b""


@pytest.mark.parametrize("cut", range(len(STREAM + MARKER)))
def test_a_stream_cut_at_any_byte_arrives_byte_equal(cut):
    whole = STREAM + MARKER
    assert through([whole[:cut], whole[cut:]]) == (STREAM, MARKER)


def test_a_stream_of_single_bytes_arrives_byte_equal():
    whole = STREAM + MARKER
    assert through([whole[place : place + 1] for place in range(len(whole))]) == (STREAM, MARKER)


@given(st.lists(st.text(), max_size=8), st.lists(st.integers(0, 2000), max_size=12))
def test_any_text_cut_anywhere_arrives_byte_equal(texts, cuts):
    stream = b"".join(event(chunk(text)) for text in texts)
    whole = stream + MARKER
    places = sorted({0, *(cut % (len(whole) + 1) for cut in cuts), len(whole)})
    parts = [whole[start:end] for start, end in pairwise(places)]
    assert through(parts) == (stream, MARKER)


def test_what_follows_the_end_marker_is_not_forwarded():
    assert through([STREAM + MARKER + MARKER + event(chunk("more"))]) == (STREAM, MARKER)


def test_an_end_marker_inside_of_text_is_text():
    assert through([event(chunk("data: [DONE]"))]) == (event(chunk("data: [DONE]")), b"")


def test_an_event_without_an_end_is_an_error():
    blocks = Blocks()
    with pytest.raises(UpstreamError):
        blocks.feed(b"x" * (LONGEST_EVENT + 1))


def test_the_last_usage_counts_and_none_is_added():
    meter = Meter()
    meter.observe(event(chunk("a", usage={"prompt_tokens": 3, "completion_tokens": 1})))
    meter.observe(event(chunk("b", usage={"prompt_tokens": 3, "completion_tokens": 2})) + event(chunk("c", usage=None)))
    assert (meter.usage(), meter.final, meter.outputs) == ({"prompt_tokens": 3, "completion_tokens": 2}, False, 3)
    meter.observe(event({"choices": [], "usage": USAGE}))
    assert (meter.usage(), meter.final) == (USAGE, True)


def test_continuous_usage_of_several_choices_is_summed():
    def of_choice(index: int, tokens: int) -> bytes:
        choice = {"index": index, "delta": {"content": "a"}}
        return event({"choices": [choice], "usage": {"prompt_tokens": 3, "completion_tokens": tokens}})

    meter = Meter(choices=2)
    meter.observe(of_choice(0, 1) + of_choice(1, 1) + of_choice(0, 2))
    assert meter.usage() == {"prompt_tokens": 3, "completion_tokens": 3}
    meter.observe(event({"choices": [], "usage": USAGE}))
    assert meter.usage() == USAGE


def test_text_that_talks_of_usage_is_no_usage():
    meter = Meter()
    meter.observe(event(chunk('"usage":{"prompt_tokens":1}')))
    assert meter.usage() is None


def test_only_output_counts_as_output():
    meter = Meter()
    meter.observe(event(chunk("")) + event({"choices": [{"delta": {"role": "assistant", "content": ""}}]}))
    assert meter.outputs == 0
    tool = {"choices": [{"delta": {"tool_calls": [{"function": {"arguments": "{"}}]}}]}
    meter.observe(event(tool) + event({"choices": [{"delta": {"reasoning_content": "hm"}}]}))
    assert meter.outputs == 2


def rewritten(include_usage: bool = False, continuous: bool = False, block: bytes = STREAM) -> bytes:
    return Rewriter("public", include_usage=include_usage, continuous_usage=continuous).rewrite(block)


def test_the_model_gets_its_public_name_and_text_stays():
    block = event(chunk('say "model":"upstream"'))
    value = orjson.loads(rewritten(block=block)[6:])
    assert value["model"] == "public"
    assert value["choices"][0]["delta"]["content"] == 'say "model":"upstream"'


def test_what_an_engine_tells_about_itself_is_taken_out():
    block = event(chunk("a")) + event(chunk('"metrics"', kv_transfer_params={"host": "10.0.0.7"}, metrics={"t": 1}))
    out = rewritten(block=block)
    assert b"10.0.0.7" not in out
    second = orjson.loads(out.split(b"\n\n")[1][6:])
    assert second["choices"][0]["delta"]["content"] == '"metrics"'
    assert "metrics" not in second


def test_usage_nobody_asked_for_is_taken_out():
    block = event(chunk("a", usage=USAGE)) + event({"model": "upstream", "choices": [], "usage": USAGE})
    out = rewritten(block=block)
    assert b"usage" not in out
    assert orjson.loads(out[6:])["choices"][0]["delta"]["content"] == "a"


def test_usage_that_was_asked_for_comes_once_at_the_end():
    block = event(chunk("a", usage=USAGE)) + event({"model": "upstream", "choices": [], "usage": USAGE})
    first, last = (orjson.loads(part[6:]) for part in rewritten(include_usage=True, block=block).split(b"\n\n")[:2])
    assert (first["usage"], last["usage"]) == (None, USAGE)


def test_continuous_usage_that_was_asked_for_stays():
    block = event(chunk("a", usage=USAGE))
    assert orjson.loads(rewritten(include_usage=True, continuous=True, block=block)[6:])["usage"] == USAGE


@given(st.text())
def test_every_rewritten_event_is_json_with_the_same_text(text):
    out = rewritten(block=event(chunk(text, usage=USAGE)))
    assert orjson.loads(out[6:])["choices"][0]["delta"]["content"] == text


@pytest.mark.parametrize(
    "block", [event({"error": {"message": "boom"}}), event({"object": "error"}), b"event: error\ndata: {}\n\n"]
)
def test_an_error_event_is_noticed(block):
    assert split_at_error(event(chunk("a")) + block) == (event(chunk("a")), True)


def test_text_about_errors_is_no_error():
    text = event(chunk('{"error": 1}')) + event(chunk("event: error"))
    assert split_at_error(text) == (text, False)


def read(stream: bytes) -> bytes:
    return Blocks().feed(stream)


def test_a_byte_order_mark_and_fields_of_the_engines_own_stay_here():
    stream = b"\xef\xbb\xbfid: 7\nretry: 10\n" + event(chunk("a")) + b"retry: 1\n\n" + event(chunk("b"))
    assert read(stream) == event(chunk("a")) + event(chunk("b"))


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_an_event_of_several_data_lines_becomes_one_of_one(end):
    value = chunk("a", usage=USAGE)
    lines = orjson.dumps(value, option=orjson.OPT_INDENT_2).splitlines()
    stream = b"".join(b"data: " + line + end for line in lines) + end
    forwarded = read(stream + event(chunk("b")))
    assert forwarded.count(b"data:") == 2
    assert orjson.loads(forwarded.split(b"\n\n")[0][6:]) == value


@pytest.mark.parametrize("answer", [b'{"choices": []}\n\n', b"<html>\n\n", b'[{"a": 1}]\r\n\r\n'])
def test_what_is_no_event_is_an_error(answer):
    assert split_at_error(event(chunk("a")) + answer) == (event(chunk("a")), True)


def test_a_megabyte_in_single_bytes_and_ten_thousand_events_in_one_read_arrive():
    long, many = event(chunk("x" * 2**20)), event(chunk("y")) * 10_000
    blocks = Blocks()
    assert b"".join(blocks.feed(long[place : place + 1]) for place in range(len(long))) == long
    assert blocks.feed(many) == many
    meter = Meter()
    meter.observe(many)
    assert meter.outputs == 10_000


def test_ten_thousand_streams_of_any_text_cut_anywhere_arrive_byte_equal():
    dice = random.Random(20261127)
    for _ in range(10_000):
        texts = ["".join(dice.choices('aß🌍"\\\n\r[DONE] data:', k=dice.randrange(12))) for _ in range(3)]
        stream = b"".join(event(chunk(text), dice.choice([b"\n\n", b"\r\n\r\n"])) for text in texts)
        whole = stream + MARKER
        places = sorted({0, len(whole), *(dice.randrange(len(whole)) for _ in range(6))})
        assert through([whole[start:end] for start, end in pairwise(places)]) == (stream, MARKER)
