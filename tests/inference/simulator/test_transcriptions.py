import struct
from typing import Any

import pytest

from inference.simulator import sounds
from tests.inference.simulator.recordings import recording

TRANSCRIPTIONS = "/v1/audio/transcriptions"
WORDS: dict[str, Any] = {"timestamp_granularities[]": "word"}
QUICK = "[[sim tokens=5 ttft=0 gap=0]]"


def send(sim, path=TRANSCRIPTIONS, *, file: bytes | None = None, request_id="", **fields: Any):
    """Send a form by hand, as a browser does."""
    parts = [
        f'--edge\r\ncontent-disposition: form-data; name="{name}"\r\n\r\n{text}\r\n' for name, text in fields.items()
    ]
    head = '--edge\r\ncontent-disposition: form-data; name="file"; filename="a.wav"\r\ncontent-type: audio/wav\r\n\r\n'
    body = "".join(parts).encode() + (b"" if file == b"" else head.encode() + (file or recording(1.5)) + b"\r\n")
    headers = {"content-type": "multipart/form-data; boundary=edge"} | (
        {"x-request-id": request_id} if request_id else {}
    )
    return sim.call("POST", path, body + b"--edge--\r\n", **headers)


def test_a_recording_is_as_long_as_its_header_says():
    assert sounds.seconds(recording(1.5)) == 1.5
    assert sounds.seconds(b"RIFF0000WAVE") == 0
    assert sounds.seconds(bytes(32_000)) == 2


def test_the_default_is_json_with_the_seconds_to_pay_for(sim):
    answer = send(sim, prompt=QUICK).json
    assert len(answer["text"].split(" ")) == 5
    assert answer["usage"] == {"type": "duration", "seconds": 2}


def test_a_verbose_answer_has_segments_and_words(sim):
    answer = send(sim, prompt=QUICK, response_format="verbose_json", **WORDS).json
    assert (answer["duration"], answer["segments"], len(answer["words"])) == ("1.5", None, 5)
    assert send(sim, prompt=QUICK, response_format="verbose_json").json["segments"][0]["end"] == 1.5


@pytest.mark.parametrize(
    ("wanted", "begins"),
    [("srt", "1\n00:00:00,000 --> 00:00:01,500\n"), ("vtt", "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\n"), ("text", "")],
)
def test_an_answer_may_be_text(sim, wanted, begins):
    reply = send(sim, prompt=QUICK, response_format=wanted)
    assert reply.headers["content-type"].startswith("text/plain")
    assert reply.body.decode().startswith(begins)
    assert len(reply.body.decode().removeprefix(begins).split()) == 5


def test_deltas_are_streamed(sim):
    reply = send(sim, prompt=QUICK, stream="true", stream_include_usage="true")
    assert len(reply.deltas) == 5
    assert {event["object"] for event in reply.events} == {"transcription.chunk"}
    assert (reply.events[-1]["usage"]["completion_tokens"], reply.data[-1]) == (5, "[DONE]")


def test_a_translation_is_streamed_under_its_own_name(sim):
    reply = send(sim, "/v1/audio/translations", prompt=QUICK, stream="true")
    assert {event["object"] for event in reply.events} == {"translation.chunk"}


def test_the_same_recording_says_the_same(sim):
    assert send(sim, file=recording(1)).json["text"] == send(sim, file=recording(1)).json["text"]


@pytest.mark.parametrize(
    "fields", [{"file": b""}, {"response_format": "xml"}, {"stream": "maybe"}, {"prompt": "[[sim nothing]]"}]
)
def test_a_form_that_lacks_something_is_refused(sim, fields):
    assert send(sim, **fields).status == 400


def test_a_body_that_is_no_form_is_refused(sim):
    assert sim.call("POST", TRANSCRIPTIONS, b"{}").status == 400


def test_a_form_names_the_model(sim):
    assert send(sim, model="other").status == 404
    assert send(sim, model="sim", prompt=QUICK).status == 200


def test_a_stream_can_die(sim):
    reply = send(sim, prompt="[[sim tokens=5 ttft=0 gap=0 die_after=2]]", stream="true", request_id="heard")
    assert (len(reply.deltas), reply.whole) == (2, False)
    assert sim.record("heard")["completion_tokens"] == 2


def test_a_header_says_how_many_bytes_follow():
    head = sounds.header(10)
    assert struct.unpack("<I", head[40:44])[0] == 20
    assert len(head) == 44
