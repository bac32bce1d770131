"""What is heard, spoken and drawn: delivered, charged in its own unit, and ended as the table of who pays says."""

from decimal import Decimal

import orjson
import pytest

from tests.inference.gateway.door import Answer, Door
from tests.inference.gateway.forms import FORM, SECONDS, form
from tests.inference.gateway.surfaces.test_listings import publish

HEAR, TRANSLATE, SPEAK, DRAW = (
    "/v1/audio/transcriptions",
    "/v1/audio/translations",
    "/v1/audio/speech",
    "/v1/images/generations",
)
# $0.006 a minute, $15 per million characters, $0.04 a picture, in nano-dollars.
SECOND, CHARACTER, PICTURE = 100_000, 15_000, 40_000_000


async def hear(door: Door, path: str = HEAR, leave=lambda answer: False, **fields) -> Answer:
    body = form(**({"model": "sim-transcribe"} | fields))
    return await door.ask(body, path=path, headers=FORM, leave=leave)


async def speak(door: Door, directive: str = "tokens=5", leave=lambda answer: False, pause=0.0, **fields) -> Answer:
    text = f"[[sim ttft=1 gap=0 {directive}]]"
    body = {"model": "sim-speech", "voice": "a", "response_format": "wav", "input": text} | fields
    return await door.ask(body, path=SPEAK, leave=leave, pause=pause)


async def draw(door: Door, directive: str = "", **fields) -> Answer:
    prompt = f"a cat [[sim ttft=1 gap=0 {directive}]]"
    return await door.ask({"model": "sim-image", "prompt": prompt, "size": "16x16", **fields}, path=DRAW)


@pytest.mark.parametrize("path", [HEAR, TRANSLATE])
async def test_a_recording_costs_its_seconds_as_the_engine_counts_them(customer, usage, path):
    answer = await hear(await customer(), path)
    (record,) = await usage()
    assert len(answer.json["text"].split()) == 5
    assert answer.json["usage"] == {"type": "duration", "seconds": SECONDS}
    assert (record["unit"], record["quantity"], record["usage_source"]) == ("seconds", SECONDS, "final")
    assert (record["cost_nusd"], record["hold_nusd"]) == (SECONDS * SECOND, SECONDS * SECOND)
    assert (record["prompt_tokens"], record["completion_tokens"], record["outcome"]) == (0, 0, "complete")
    assert answer.headers["x-turnpike-cost-nano-usd"] == str(record["cost_nusd"])


@pytest.mark.parametrize(
    ("wanted", "begins", "kind"),
    [
        ("text", b"", "text/plain; charset=utf-8"),
        ("srt", b"1\n00:00:00,000 --> 00:01:30,000\n", "text/plain; charset=utf-8"),
        ("vtt", b"WEBVTT\n\n00:00:00.000 --> 00:01:30.000\n", "text/plain; charset=utf-8"),
        ("verbose_json", b"{", "application/json"),
    ],
)
async def test_every_format_is_charged_alike(customer, usage, wanted, begins, kind):
    answer = await hear(await customer(), response_format=wanted)
    (record,) = await usage()
    assert (answer.status, answer.headers["content-type"]) == (200, kind)
    assert answer.body.startswith(begins)
    assert answer.body.strip()
    assert (record["cost_nusd"], record["usage_source"]) == (SECONDS * SECOND, "final")


async def test_words_and_segments_come_where_they_are_asked_for(customer):
    both = {"response_format": "verbose_json", "timestamp_granularities[]": "word"}
    answer = await hear(await customer(), **both)
    assert [set(word) for word in answer.json["words"]] == [{"word", "start", "end"}] * 5


async def test_a_streamed_transcription_ends_with_its_text_after_the_charge(customer, usage, fresh_database):
    charged_when = {}

    def look(answer: Answer) -> bool:
        done = b"transcript.text.done" in answer.body
        charged_when[done] = fresh_database.sql("SELECT count(*) FROM billing_usagerecord")[0][0]
        return False

    answer = await hear(await customer(), leave=look, stream="true")
    *deltas, done = [orjson.loads(event) for event in answer.events]
    assert charged_when == {False: 0, True: 1}
    assert [delta["type"] for delta in deltas] == ["transcript.text.delta"] * 5
    assert done["text"] == "".join(delta["delta"] for delta in deltas)
    assert done["usage"] == {"type": "duration", "seconds": SECONDS}
    (record,) = await usage()
    assert (record["cost_nusd"], record["usage_source"], record["streamed"]) == (SECONDS * SECOND, "local", True)


# directive -> outcome, is it charged, does the end come: streamed first, then whole.
HEARD = [
    ("tokens=5 no_done", "complete", True, True),
    ("tokens=5 dup_done", "complete", True, True),
    ("tokens=5 crlf", "complete", True, True),
    ("tokens=5 comments", "complete", True, True),
    ("tokens=5 split=3", "complete", True, True),
    ("tokens=5 die_after=2", "upstream_error", False, False),
    ("tokens=5 rst_after=2", "upstream_error", False, False),
    ("tokens=5 err_event=2", "upstream_error", False, False),
]


@pytest.mark.parametrize(("directive", "outcome", "charged", "complete"), HEARD, ids=[line[0] for line in HEARD])
async def test_every_way_a_streamed_transcription_ends(customer, usage, directive, outcome, charged, complete):
    answer = await hear(await customer(), directive=directive, stream="true")
    (record,) = await usage()
    assert (record["outcome"], record["cost_nusd"]) == (outcome, SECONDS * SECOND if charged else 0)
    assert (b"transcript.text.done" in answer.body, answer.ended) == (complete, True)
    if not complete:
        assert b'"code":"upstream_error"' in answer.events[-1]


WHOLE = [
    ("usage=none", 200, "complete", SECONDS),
    ("usage=zero", 200, "complete", 0),
    ("die_after=1", 502, "upstream_error", None),
    ("err_event=1", 502, "upstream_error", None),
    ("bad_gzip", 502, "upstream_error", None),
    ("status=400", 400, "upstream_error", None),
    ("status=503", 503, "upstream_error", None),
]


@pytest.mark.parametrize(("directive", "status", "outcome", "seconds"), WHOLE, ids=[line[0] for line in WHOLE])
async def test_every_way_a_whole_transcription_ends(customer, usage, directive, status, outcome, seconds):
    answer = await hear(await customer(), directive=f"tokens=5 {directive}")
    (record,) = await usage()
    assert (answer.status, record["outcome"], record["cost_nusd"]) == (status, outcome, (seconds or 0) * SECOND)
    assert b"sim" not in answer.body


async def test_more_seconds_than_were_held_are_charged_as_overage(customer, usage):
    await hear(await customer(), directive="tokens=5 usage=huge")
    (record,) = await usage()
    assert record["cost_nusd"] > record["hold_nusd"] == SECONDS * SECOND


async def test_who_leaves_a_transcription_with_some_of_it_pays_for_its_length(customer, usage):
    acme = await customer()
    await hear(acme, directive="tokens=200 gap=20", stream="true", leave=lambda a: a.body.count(b"delta") >= 4)
    (record,) = await usage()
    assert (record["outcome"], record["cost_nusd"]) == ("client_left", SECONDS * SECOND)


async def test_compressed_sound_is_held_for_by_its_bytes_and_the_models_cap(customer, usage, fresh_database):
    acme, sound = await customer(), bytes(16_000 * 60)
    assert (await hear(acme, file=sound, filename="a.mp3")).status == 200
    fresh_database.sql("UPDATE inference_model SET max_audio_seconds = 80 WHERE id = 'sim-transcribe'")
    await acme.gateway._news._reload()
    assert (await hear(acme, file=sound, filename="a.mp3")).status == 200
    refused = await hear(acme)
    free, capped = await usage()
    assert (free["hold_nusd"], free["cost_nusd"]) == (1280 * SECOND, 60 * SECOND)
    assert (capped["hold_nusd"], capped["cost_nusd"]) == (80 * SECOND, 60 * SECOND)
    assert (refused.status, refused.error["param"]) == (400, "file")


async def test_an_engine_gets_a_form_of_our_own(customer, engines):
    answer = await hear(await customer(), directive="echo_headers")
    seen = orjson.loads(answer.json["text"])
    assert seen["content-type"].startswith("multipart/form-data; boundary=")
    assert "edge" not in seen["content-type"]
    assert "authorization" not in seen


async def test_speech_is_sound_and_costs_its_characters(customer, usage):
    answer = await speak(await customer())
    (record,) = await usage()
    characters = len("[[sim ttft=1 gap=0 tokens=5]]")
    assert (answer.status, answer.headers["content-type"], answer.ended) == (200, "audio/wav", True)
    assert (answer.body[:4], len(answer.body)) == (b"RIFF", 44 + 5 * 4800)
    assert (record["unit"], record["quantity"]) == ("characters", characters)
    assert record["cost_nusd"] == record["hold_nusd"] == characters * CHARACTER
    assert (record["outcome"], record["streamed"], record["usage_source"]) == ("complete", True, "local")
    assert record["ttft_ms"] is not None


async def test_the_last_of_the_sound_waits_for_the_charge(customer, fresh_database):
    charged_when = {}

    def look(answer: Answer) -> bool:
        charged_when[answer.ended] = fresh_database.sql("SELECT count(*) FROM billing_usagerecord")[0][0]
        return False

    await speak(await customer(), leave=look)
    assert charged_when == {False: 0, True: 1}


@pytest.mark.parametrize("directive", ["die_after=2", "rst_after=2"])
async def test_sound_that_breaks_is_never_completed_and_costs_nothing(customer, usage, directive):
    answer = await speak(await customer(), f"tokens=50 gap=5 {directive}")
    (record,) = await usage()
    assert (answer.status, answer.ended) == (200, False)
    assert b"error" not in answer.body
    assert (record["outcome"], record["cost_nusd"]) == ("upstream_error", 0)


@pytest.mark.parametrize(
    ("directive", "status", "code"),
    [("status=500", 502, "upstream_error"), ("status=429", 503, "overloaded"), ("bad_gzip", 502, "upstream_error")],
)
async def test_speech_that_never_began_is_an_error_in_json(customer, usage, directive, status, code):
    answer = await speak(await customer(), directive)
    (record,) = await usage()
    assert (answer.status, answer.error["code"], record["cost_nusd"]) == (status, code, 0)


async def test_sound_of_another_kind_than_was_asked_for_is_not_sent_under_its_name(customer, usage):
    answer = await speak(await customer(), "set_cookie", response_format="mp3")
    assert answer.status in (400, 502)
    assert [record["cost_nusd"] for record in await usage()] == [0]


async def test_who_leaves_in_mid_sound_pays_for_the_text_and_stops_the_engine(customer, usage):
    await speak(await customer(), "tokens=500 gap=20", leave=lambda answer: len(answer.body) > 9000)
    (record,) = await usage()
    assert (record["outcome"], record["cost_nusd"] > 0) == ("client_left", True)


async def test_a_repeated_speech_is_told_what_the_first_one_used(customer, usage):
    acme = await customer()
    body = {"model": "sim-speech", "voice": "a", "response_format": "wav", "input": "[[sim ttft=1 gap=0 tokens=2]]"}
    again = [await acme.ask(body, path=SPEAK, headers={"idempotency-key": "k"}) for _ in range(2)]
    assert again[0].headers["content-type"] == "audio/wav"
    assert (again[1].headers["idempotent-replayed"], again[1].json["model"]) == ("true", "sim-speech")
    assert len(await usage()) == 1


async def test_a_repeated_form_is_one_request_though_its_boundary_is_another(customer, usage):
    acme, key = await customer(), {"idempotency-key": "k"}
    body = form(model="sim-transcribe")
    first = await acme.ask(body, path=HEAR, headers=FORM | key)
    other = {"content-type": "multipart/form-data; boundary=other"}
    second = await acme.ask(body.replace(b"--edge", b"--other"), path=HEAR, headers=other | key)
    assert (first.status, second.headers["idempotent-replayed"]) == (200, "true")
    assert len(await usage()) == 1


async def test_pictures_cost_their_number(customer, usage):
    answer = await draw(await customer(), n=3)
    (record,) = await usage()
    assert [set(picture) for picture in answer.json["data"]] == [{"b64_json"}] * 3
    assert (record["unit"], record["quantity"], record["usage_source"]) == ("images", 3, "final")
    assert record["cost_nusd"] == record["hold_nusd"] == 3 * PICTURE


@pytest.mark.parametrize(
    ("directive", "status"), [("die_after=1", 502), ("err_event=1", 502), ("status=400", 400), ("bad_gzip", 502)]
)
async def test_pictures_that_do_not_come_cost_nothing(customer, usage, directive, status):
    answer = await draw(await customer(), directive, n=2)
    (record,) = await usage()
    assert (answer.status, record["outcome"], record["cost_nusd"]) == (status, "upstream_error", 0)


async def test_a_fee_for_each_request_comes_on_top(customer, usage):
    acme = await customer()
    await publish("sim-image", images=Decimal(40_000), requests=Decimal(1000))
    await acme.gateway._news._reload()
    await draw(acme)
    assert [record["cost_nusd"] for record in await usage()] == [PICTURE + 1_000_000]


MISPRICED = [(HEAR, form(model="sim")), (SPEAK, {"input": "a", "voice": "a"}), (DRAW, {"prompt": "a"})]


@pytest.mark.parametrize(("path", "body"), MISPRICED, ids=[line[0] for line in MISPRICED])
async def test_a_model_priced_in_tokens_sells_no_media(customer, usage, engines, path, body):
    acme, before = await customer(), [len(engine.witness()["requests"]) for engine in engines]
    asked = body if isinstance(body, bytes) else {"model": "sim", **body}
    answer = await acme.ask(asked, path=path, headers=FORM if isinstance(body, bytes) else {})
    assert (answer.status, answer.error["code"]) == (403, "model_not_priced")
    assert ([len(engine.witness()["requests"]) for engine in engines], await usage()) == (before, [])


async def test_text_goes_to_tokens_and_back(customer, usage):
    acme = await customer()
    ids = (await acme.ask({"model": "sim", "prompt": "one two three"}, path="/v1/tokenize")).json["tokens"]
    answer = await acme.ask({"model": "sim", "tokens": ids}, path="/v1/detokenize")
    assert answer.json == {"prompt": "one two three"}
    assert [record["cost_nusd"] for record in await usage()] == [0, 0]


async def test_the_list_of_models_says_what_each_is_for(customer):
    acme = await customer()
    models = {one["id"]: one for one in (await acme.ask(b"", method="GET", path="/v1/models")).json["data"]}
    assert models["sim-transcribe"]["endpoints"] == [HEAR, TRANSLATE]
    assert models["sim-speech"]["endpoints"] == [SPEAK]
    assert models["sim-image"]["endpoints"] == [DRAW]
    assert models["sim-embedding"]["endpoints"] == ["/v1/embeddings"]
    assert models["sim-rerank"]["endpoints"] == ["/v1/rerank", "/v1/score"]
    assert "/v1/chat/completions" in models["sim"]["endpoints"]
    assert (models["sim-speech"]["input_modalities"], models["sim-speech"]["output_modalities"]) == (
        ["text"],
        ["audio"],
    )
