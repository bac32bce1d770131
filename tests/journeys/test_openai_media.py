"""OpenAI's own SDK against a running server: vectors, speech, transcriptions and pictures, each charged in its unit."""

import base64
import struct
import warnings

import httpx2
import openai
import pytest

from tests.inference.simulator.recordings import recording

FAST = "ttft=1 gap=0"


@pytest.fixture
def charged(installation, acme):
    """The newest usage record: its unit, quantity, outcome and cost in nano-dollars."""

    def newest() -> tuple[str, int, str, int]:
        (row,) = installation.sql(
            "SELECT unit, quantity, outcome, cost_nusd FROM billing_usagerecord WHERE organization_id = %s "
            "ORDER BY request_id DESC LIMIT 1",
            acme.id,
        )
        return row

    return newest


def test_vectors_as_numbers_and_as_bytes(sdk, charged):
    plain = sdk.embeddings.create(model="sim-embedding", input=["a", "b"], dimensions=8, encoding_format="float")
    coded = sdk.embeddings.create(model="sim-embedding", input=[[1, 2], [3]], dimensions=8, encoding_format="base64")
    packed = [base64.b64decode(str(item.embedding)) for item in coded.data]
    assert [len(item.embedding) for item in plain.data] == [8, 8]
    assert [len(struct.unpack("<8f", one)) for one in packed] == [8, 8]
    assert charged() == ("", 0, "complete", coded.usage.prompt_tokens * 20)


def test_a_recording_becomes_text(sdk, charged):
    answer = sdk.audio.transcriptions.create(
        model="sim-transcribe",
        file=("talk.wav", recording(30)),
        prompt=f"[[sim tokens=4 {FAST}]]",
        language="en",
        temperature=0.2,
    )
    assert len(answer.text.split()) == 4
    assert answer.usage is not None
    assert answer.usage.to_dict() == {"type": "duration", "seconds": 30}
    assert charged() == ("seconds", 30, "complete", 30 * 100_000)


def test_a_verbose_transcription_has_words(sdk):
    answer = sdk.audio.transcriptions.create(
        model="sim-transcribe",
        file=("talk.wav", recording(2)),
        prompt=f"[[sim tokens=4 {FAST}]]",
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
    )
    assert (len(answer.words), len(answer.segments)) == (4, 1)


@pytest.mark.parametrize("form", ["text", "srt", "vtt"])
def test_a_transcription_as_text_or_subtitles_is_a_string(sdk, form):
    answer = sdk.audio.transcriptions.create(
        model="sim-transcribe", file=("talk.wav", recording(2)), response_format=form
    )
    assert isinstance(answer, str)
    assert ("-->" in answer) is (form != "text")


def test_a_transcription_streams(sdk, charged):
    stream = sdk.audio.transcriptions.create(
        model="sim-transcribe", file=("talk.wav", recording(3)), prompt=f"[[sim tokens=6 {FAST}]]", stream=True
    )
    *deltas, done = list(stream)
    assert {event.type for event in deltas} == {"transcript.text.delta"}
    assert (done.type, done.text) == ("transcript.text.done", "".join(event.delta for event in deltas))
    assert charged() == ("seconds", 3, "complete", 300_000)


def test_a_stream_that_breaks_is_an_error_in_the_sdk(sdk, charged):
    with pytest.raises(openai.APIError, match="Nothing was charged"):
        list(
            sdk.audio.transcriptions.create(
                model="sim-transcribe",
                file=("talk.wav", recording(3)),
                prompt=f"[[sim tokens=6 die_after=2 {FAST}]]",
                stream=True,
            )
        )
    assert charged()[2:] == ("upstream_error", 0)


def test_a_recording_is_translated(sdk, charged):
    with warnings.catch_warnings():  # The SDK deprecates it; it is in use all the same.
        warnings.simplefilter("ignore", DeprecationWarning)
        answer = sdk.audio.translations.create(model="sim-transcribe", file=("talk.wav", recording(5)))
    assert answer.text
    assert charged()[:3] == ("seconds", 5, "complete")


def test_text_is_spoken_piece_by_piece(sdk, charged):
    text = f"[[sim tokens=20 {FAST}]]"
    with sdk.audio.speech.with_streaming_response.create(
        model="sim-speech", voice="alloy", input=text, response_format="wav"
    ) as answer:
        sound = b"".join(answer.iter_bytes())
    assert (answer.headers["content-type"], sound[:4], len(sound)) == ("audio/wav", b"RIFF", 44 + 20 * 4800)
    assert charged() == ("characters", len(text), "complete", len(text) * 15_000)


def test_sound_that_breaks_is_never_taken_for_whole(sdk, charged):
    text = f"[[sim tokens=40 die_after=5 {FAST}]]"
    with (
        pytest.raises(httpx2.RemoteProtocolError, match="without sending complete message body"),
        sdk.audio.speech.with_streaming_response.create(
            model="sim-speech", voice="alloy", input=text, response_format="pcm"
        ) as answer,
    ):
        b"".join(answer.iter_bytes())
    assert charged()[2:] == ("upstream_error", 0)
    with pytest.raises(openai.APIConnectionError):
        sdk.audio.speech.create(model="sim-speech", voice="alloy", input=text, response_format="pcm")
    assert charged()[2:] == ("upstream_error", 0)


def test_a_listener_who_reads_slowly_gets_all_of_it(sdk):
    with sdk.audio.speech.with_streaming_response.create(
        model="sim-speech", voice="alloy", input=f"[[sim tokens=400 {FAST}]]", response_format="pcm"
    ) as answer:
        assert sum(len(piece) for piece in answer.iter_bytes(1000)) == 400 * 4800


def test_pictures_are_drawn(sdk, charged):
    answer = sdk.images.generate(model="sim-image", prompt="a cat", n=2, size="64x64", quality="medium")
    assert [base64.b64decode(picture.b64_json)[:4] for picture in answer.data] == [b"\x89PNG"] * 2
    assert charged() == ("images", 2, "complete", 80_000_000)


def test_models_that_are_priced_otherwise_are_refused(sdk):
    with pytest.raises(openai.PermissionDeniedError) as refused:
        sdk.audio.speech.create(model="sim", voice="alloy", input="hi")
    assert refused.value.code == "model_not_priced"


def test_rankings_scores_and_tokens_by_hand(sdk):
    ranked = sdk.post("/rerank", cast_to=dict, body={"model": "sim-rerank", "query": "a", "documents": ["b", "a"]})
    scored = sdk.post("/score", cast_to=dict, body={"model": "sim-rerank", "text_1": "a", "text_2": ["a"]})
    counted = sdk.post("/tokenize", cast_to=dict, body={"model": "sim", "prompt": "one two"})
    assert (ranked["results"][0]["index"], len(scored["data"]), counted["count"]) == (1, 1, len(counted["tokens"]))


def test_the_books_agree_after_all_of_this(installation):
    assert installation.verify_ledger() == []
