"""The fields of what is heard, spoken and drawn."""

import pytest

from billing.rates import Rates
from foundation import clock
from foundation.errors import InvalidRequest, RequestTooLarge
from inference.gateway.surfaces.hearing import Transcriptions, Translations, neutral_name
from inference.gateway.surfaces.images import Images
from inference.gateway.surfaces.speech import Speech
from tests.inference.gateway.forms import FORM, close, form, part

TYPE = FORM["content-type"].encode()
HEAR, TRANSLATE, SPEAK, DRAW = Transcriptions(), Translations(), Speech(), Images()
SPOKEN = {"model": "m", "input": "Grüße 🙂", "voice": "a"}


def hear(surface=HEAR, **fields):
    return surface.parse(form(**({"model": "m"} | fields)), TYPE, b"")


def test_a_transcription_is_bounded_by_its_length_and_by_no_tokens():
    wanted = hear(language="en", temperature="0.2")
    assert (wanted.model, wanted.quantity, wanted.inputs, wanted.size) == ("m", 90, 0, 0)
    assert wanted.fields["language"] == ["en"]
    assert "hello" not in repr(wanted)


def test_the_same_form_is_the_same_request_whatever_its_boundary():
    body = form(model="m")
    other = body.replace(b"--edge", b"--other")
    first, second = HEAR.parse(body, TYPE, b"1"), HEAR.parse(other, TYPE.replace(b"edge", b"other"), b"2")
    assert first.digest == second.digest
    assert first.digest != hear(language="en").digest
    assert first.digest != hear(TRANSLATE).digest


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"model": ""}, "model"),
        ({"api_base": "x"}, "api_base"),
        ({"temperature": "hot"}, "temperature"),
        ({"temperature": "NaN"}, "temperature"),
        ({"temperature": "1.1"}, "temperature"),
        ({"response_format": "doc"}, "response_format"),
        ({"stream": "maybe"}, "stream"),
        ({"stream": "true", "response_format": "srt"}, "response_format"),
        ({"timestamp_granularities[]": "word"}, "timestamp_granularities"),
        ({"filename": "a.exe"}, "file"),
        ({"filename": "wav"}, "file"),
        ({"file": b""}, "file"),
    ],
)
def test_a_wrong_field_of_a_form_is_named(fields, named):
    if fields.get("filename") == "wav":
        fields = {"filename": "nothing"}
    with pytest.raises(InvalidRequest) as refused:
        hear(**fields)
    assert refused.value.param == named


def test_a_translation_has_no_language_and_no_stream():
    for name in ("language", "stream"):
        with pytest.raises(InvalidRequest, match=f"Unknown field: {name}"):
            hear(TRANSLATE, **{name: "true"})


def test_a_form_without_a_file_is_refused():
    with pytest.raises(InvalidRequest, match="file is missing"):
        HEAR.parse(close(part("model", "m")), TYPE, b"")


def test_a_file_of_more_than_25_megabytes_is_refused():
    with pytest.raises(RequestTooLarge, match="larger than 26214400"):
        hear(file=bytes(25 * 1024 * 1024 + 1))


def test_of_a_files_name_only_the_format_is_left():
    assert neutral_name("Board meeting, secret.M4A") == "audio.m4a"


def test_speech_is_bounded_by_its_characters():
    wanted = SPEAK.read(SPOKEN, size=10)
    assert (wanted.quantity, wanted.stream, wanted.fields["response_format"]) == (7, True, "mp3")
    assert SPEAK.stream_head(wanted)[0] == (b"content-type", b"audio/mpeg")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("input", ""),
        ("input", "x" * 4097),
        ("input", None),
        ("voice", None),
        ("response_format", "exe"),
        ("speed", 5),
        ("stream_format", "sse"),
        ("extra_body", {}),
    ],
)
def test_a_wrong_field_of_speech_is_named(field, value):
    with pytest.raises(InvalidRequest) as refused:
        SPEAK.read({**SPOKEN, field: value}, size=1)
    assert refused.value.param == field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("n", 11),
        ("n", 0),
        ("size", "huge"),
        ("size", "1x1"),
        ("size", "99999x9"),
        ("stream", True),
        ("partial_images", 2),
    ],
)
def test_pictures_that_cannot_be_bounded_are_refused(field, value):
    with pytest.raises(InvalidRequest) as refused:
        DRAW.read({"model": "m", "prompt": "a cat", field: value}, size=1)
    assert refused.value.param == field


def test_pictures_are_bounded_by_their_number():
    assert DRAW.read({"model": "m", "prompt": "a cat", "n": 3}, size=1).quantity == 3


@pytest.mark.parametrize(("surface", "unit"), [(HEAR, "seconds"), (SPEAK, "characters"), (DRAW, "images")])
def test_a_price_of_tokens_sells_no_media(surface, unit):
    prices = {kind: Rates(1, clock.now(), {kind: 1}) for kind in ("input", "output", "requests", unit)}
    assert [surface.is_priced(price) for price in prices.values()] == [False, False, True, True]
    assert surface.is_priced(Rates(1, clock.now(), {}))
