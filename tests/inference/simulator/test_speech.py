import io
import wave

import pytest

from inference.simulator import sounds

SPEECH = "/v1/audio/speech"


def test_a_whole_file_can_be_read(sim):
    reply = sim.post(SPEECH, input="12345678", stream=False)
    assert reply.headers["content-type"] == "audio/wav"
    with wave.open(io.BytesIO(reply.body)) as file:
        assert (file.getframerate(), file.getnframes()) == (sounds.RATE, 4 * sounds.SLICE)


def test_a_stream_comes_slice_by_slice(sim):
    reply = sim.post(SPEECH, input="[[sim tokens=3 ttft=0 gap=1 comments crlf]]")
    assert [len(chunk) for chunk in reply.chunks] == [44, *[2 * sounds.SLICE] * 3]
    assert reply.whole


def test_samples_may_come_bare(sim):
    reply = sim.post(SPEECH, input="1234", response_format="pcm")
    assert (reply.headers["content-type"], len(reply.body)) == ("audio/pcm", 4 * sounds.SLICE)


@pytest.mark.parametrize("members", [{"input": ""}, {"input": "x" * 5000}, {"input": "x", "response_format": "opus"}])
def test_what_cannot_be_spoken_is_refused(sim, members):
    assert sim.post(SPEECH, **members).status == 400


@pytest.mark.parametrize(("directive", "ended"), [("die_after=2", "died"), ("err_event=2", "error")])
def test_speech_can_be_cut_off(sim, directive, ended):
    reply = sim.post(SPEECH, input=f"[[sim tokens=5 {directive} ttft=0 gap=0]]", request_id=directive)
    assert (reply.whole, len(reply.body)) == (False, 44 + 2 * 2 * sounds.SLICE)
    assert sim.record(directive)["ended"] == ended
