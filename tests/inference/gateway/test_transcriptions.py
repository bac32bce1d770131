"""Transcriptions and translations: a form in, text or a stream out, charged by the seconds that the engine heard."""

from decimal import Decimal
from typing import Any

import orjson
import pytest

from inference.models import Pool
from tests.inference.gateway import media
from tests.inference.gateway.media import SECOND, TRANSCRIPTIONS, TRANSLATIONS, WAV, hear
from tests.inference.simulator.recordings import recording


@pytest.fixture
def catalogued(fresh_database, engines):
    media.offer(engines)


@pytest.fixture
async def acme(customer):
    return await customer()


async def test_every_format_is_charged_by_the_seconds_that_the_engine_heard(acme, usage):
    begins = {
        "json": b'{"text":"',
        "verbose_json": b'{"text":"',
        "text": b"",
        "srt": b"1\n00:00:00,000 --> 00:00:01,500\n",
        "vtt": b"WEBVTT\n\n00:00:00.000 --> 00:00:01.500\n",
    }
    for wanted, begin in begins.items():
        answer = await hear(acme, response_format=wanted)
        assert (answer.status, answer.body[: len(begin)]) == (200, begin)
        assert answer.headers["x-turnpike-cost-nano-usd"] == str(2 * SECOND)
        assert len(answer.body.split()) >= 5
    records = await usage()
    assert {(record["unit"], record["quantity"], record["cost_nusd"]) for record in records} == {
        ("seconds", 2, 2 * SECOND)
    }
    assert {record["endpoint"] for record in records} == {"audio.transcriptions"}


async def test_a_translation_is_a_record_of_its_own(acme, usage):
    answer = await hear(acme, path=TRANSLATIONS, response_format="verbose_json")
    (record,) = await usage()
    assert answer.json["task"] == "translate"
    assert (record["endpoint"], record["outcome"], record["cost_nusd"]) == (
        "audio.translations",
        "complete",
        2 * SECOND,
    )


async def test_words_have_their_times(acme):
    both: dict[str, Any] = {"timestamp_granularities[]": ["word", "segment"]}
    answer = await hear(acme, response_format="verbose_json", **both)
    assert len(answer.json["words"]) == 5
    assert answer.json["segments"][0]["end"] == 1.5


async def test_a_stream_has_openais_events_and_ends_after_its_charge(acme, usage, fresh_database):
    charged_when = {}

    def look(answer):
        done = b"transcript.text.done" in answer.body
        charged_when[done] = fresh_database.sql("SELECT count(*) FROM billing_usagerecord")[0][0]
        return False

    answer = await hear(acme, stream="true", leave=look)
    *deltas, done = [orjson.loads(event) for event in answer.events]
    assert done["type"] == "transcript.text.done"
    assert charged_when == {False: 0, True: 1}
    assert [event["type"] for event in deltas] == ["transcript.text.delta"] * 5
    assert done["text"] == "".join(event["delta"] for event in deltas) == (await hear(acme)).json["text"]
    assert {(record["quantity"], record["cost_nusd"]) for record in await usage()} == {(2, 2 * SECOND)}


async def test_who_leaves_pays_for_what_was_heard_and_for_nothing_before_the_first_word(acme, usage):
    left = await hear(acme, "tokens=50 ttft=1 gap=5", stream="true", leave=lambda answer: b"delta" in answer.body)
    assert b"done" not in left.body
    await hear(acme, "hang_after=0", stream="true", gone=media.left())
    first, second = await usage()
    assert (first["outcome"], first["cost_nusd"]) == ("client_left", 2 * SECOND)
    assert (second["outcome"], second["cost_nusd"]) == ("no_output", 0)


async def test_an_engine_that_fails_costs_nothing(acme, usage):
    for directive in ("status=500", "tokens=5 die_after=2", "tokens=5 bad_gzip", "err_event=0"):
        assert (await hear(acme, directive)).error["code"] == "upstream_error"
    assert {record["cost_nusd"] for record in await usage()} == {0}


def part(name, value, more=""):
    head = f'--edge\r\ncontent-disposition: form-data; name="{name}"{more}\r\n\r\n'.encode()
    return head + value + b"\r\n"


def file(value=WAV[1], name="file"):
    return part(name, value, '; filename="a.wav"')


MODEL, END = part("model", b"sim"), b"--edge--\r\n"
REFUSED = {
    "no form at all": (b"{}", "invalid_request", 400),
    "cut short": (MODEL + file(), "invalid_request", 400),
    "no file": (MODEL + END, "invalid_request", 400),
    "an empty file": (MODEL + file(b"") + END, "invalid_request", 400),
    "two files": (MODEL + file() + file() + END, "invalid_request", 400),
    "a file by another name": (MODEL + file() + file(name="mask") + END, "invalid_request", 400),
    "a file that is none": (MODEL + part("file", b"x") + END, "invalid_request", 400),
    "no model": (file() + END, "invalid_request", 400),
    "two models": (MODEL + MODEL + file() + END, "invalid_request", 400),
    "an unknown field": (MODEL + part("best_of", b"2") + file() + END, "invalid_request", 400),
    "an unknown format": (MODEL + part("response_format", b"xml") + file() + END, "invalid_request", 400),
    "a stream of subtitles": (
        MODEL + part("stream", b"true") + part("response_format", b"srt") + file() + END,
        "invalid_request",
        400,
    ),
    "a wrong temperature": (MODEL + part("temperature", b"1.5") + file() + END, "invalid_request", 400),
    "no UTF-8": (MODEL + part("prompt", b"\xff") + file() + END, "invalid_request", 400),
    "too many parts": (MODEL + part("timestamp_granularities[]", b"word") * 70 + END, "invalid_request", 400),
    "a field without a name": (part("", b"x") + MODEL + file() + END, "invalid_request", 400),
    "an encoded part": (
        MODEL + part("prompt", b"x", "\r\ncontent-transfer-encoding: base64") + file() + END,
        "invalid_request",
        400,
    ),
    "a large field": (MODEL + part("prompt", b"x" * 70_000) + file() + END, "invalid_request", 400),
    "a large file and more": (MODEL + file(bytes(27_000_000)) + END, "request_too_large", 413),
    "a large file": (MODEL + file(bytes(26_214_401)) + END, "request_too_large", 413),
    "another model": (part("model", b"nobody") + file() + END, "model_not_found", 404),
}


async def test_a_form_that_is_not_in_order_is_refused_before_any_engine(acme, usage, engines):
    seen = [len(engine.witness()["requests"]) for engine in engines]
    for what, (body, code, status) in REFUSED.items():
        answer = await acme.ask(
            body, path=TRANSCRIPTIONS, headers={"content-type": "multipart/form-data; boundary=edge"}
        )
        assert (what, answer.status, answer.error["code"]) == (what, status, code)
    for kind, status in (("application/json", 415), ("multipart/form-data", 400)):
        answer = await acme.ask(MODEL + file() + END, path=TRANSCRIPTIONS, headers={"content-type": kind})
        assert answer.status == status
    assert await usage() == []
    assert [len(engine.witness()["requests"]) for engine in engines] == seen


async def test_the_same_form_with_another_boundary_is_the_same_request(acme, usage):
    keyed = {"idempotency-key": "one"}
    first, again = await hear(acme, headers=keyed), await hear(acme, headers=keyed)
    other = await hear(acme, headers=keyed, files={"file": ("a.wav", recording(2), "audio/wav")})
    assert (first.status, again.headers["idempotent-replayed"], again.json["text"]) == (200, "true", "")
    assert other.error["code"] == "idempotency_key_reused"
    assert len(await usage()) == 1


async def test_credit_must_cover_the_longest_that_a_recording_can_be(customer, usage):
    poor = await customer(credit=Decimal("0.00015"))
    assert (await hear(poor)).error["code"] == "insufficient_credit"
    assert (await hear(poor, files={"file": ("a.wav", recording(1), "audio/wav")})).status == 200
    assert [record["cost_nusd"] for record in await usage()] == [SECOND]


async def test_what_says_nothing_of_its_length_is_held_for_by_its_bytes(customer, usage):
    poor, rich = await customer(credit=Decimal("0.001")), await customer(name="Rich")
    mp3 = {"file": ("a.mp3", bytes(32_000), "audio/mpeg")}
    assert (await hear(poor, files=mp3)).error["code"] == "insufficient_credit"
    assert (await hear(rich, files=mp3)).headers["x-turnpike-cost-nano-usd"] == str(2 * SECOND)


class TestCompatible:
    """An engine behind an OpenAI-compatible URL, which tells no usage in its streams."""

    @pytest.fixture
    def catalogued(self, fresh_database, engines):
        media.offer(engines, Pool.Engine.COMPATIBLE)

    async def test_a_stream_is_charged_by_the_length_of_the_recording(self, acme, usage):
        answer = await hear(acme, stream="true")
        (record,) = await usage()
        assert b"transcript.text.done" in answer.body
        assert (record["usage_source"], record["quantity"], record["cost_nusd"]) == ("local", 2, 2 * SECOND)


class TestNotPriced:
    """A model whose price has no rate for seconds, nor for tokens."""

    @pytest.fixture
    def catalogued(self, fresh_database, engines):
        media.offer(engines, images=Decimal(1))

    async def test_nothing_is_heard(self, acme, usage):
        assert (await hear(acme)).error["code"] == "model_not_priced"
        assert await usage() == []
