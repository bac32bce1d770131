"""Sound and pictures by the demo's models: what is held, what an engine is sent, what is not sold, what is listed."""

from decimal import Decimal

import orjson
import pytest

from tests.inference.gateway.door import Answer, Door
from tests.inference.gateway.forms import FORM, form
from tests.inference.gateway.surfaces.test_listings import publish

HEAR, TRANSLATE, SPEAK, DRAW = (
    "/v1/audio/transcriptions",
    "/v1/audio/translations",
    "/v1/audio/speech",
    "/v1/images/generations",
)
# $0.006 a minute, $0.04 a picture, in nano-dollars.
SECOND, PICTURE = 100_000, 40_000_000


async def hear(door: Door, **fields) -> Answer:
    return await door.ask(form(**({"model": "sim-transcribe"} | fields)), path=HEAR, headers=FORM)


async def draw(door: Door) -> Answer:
    return await door.ask({"model": "sim-image", "prompt": "a cat", "size": "16x16"}, path=DRAW)


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
