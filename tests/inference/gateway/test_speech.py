"""Speech: characters in, a file out as it is made, complete only when it is charged."""

from decimal import Decimal

import pytest

from inference.simulator import sounds
from tests.inference.gateway import media
from tests.inference.gateway.media import CHARACTER, SPEECH


@pytest.fixture
def catalogued(fresh_database, engines):
    media.offer(engines)


@pytest.fixture
async def acme(customer):
    return await customer()


async def speak(door, directive="tokens=5", **fields):
    ways = {name: fields.pop(name) for name in ("leave", "gone", "headers") if name in fields}
    body = {"model": "sim", "voice": "alloy", "input": text(directive), "response_format": "wav"} | fields
    return await door.ask(body, path=SPEECH, **ways)


def text(directive):
    return f"Pay the töll. {media.directive(directive)}"


SLICES = 44 + 5 * 2 * sounds.SLICE


async def test_speech_is_charged_by_its_characters(acme, usage):
    answer = await speak(acme)
    (record,) = await usage()
    assert (answer.status, answer.headers["content-type"], len(answer.body)) == (200, "audio/wav", SLICES)
    assert answer.body.startswith(b"RIFF")
    assert answer.ended
    count = len(text("tokens=5"))
    assert (record["unit"], record["quantity"], record["cost_nusd"]) == ("characters", count, count * CHARACTER)
    assert (record["outcome"], record["endpoint"]) == ("complete", "audio.speech")


async def test_samples_are_told_as_what_they_are(acme):
    assert (await speak(acme, response_format="pcm")).headers["content-type"] == "audio/pcm"


async def test_the_last_byte_waits_for_the_charge(acme, fresh_database):
    charged_with = {}

    def look(answer):
        charged_with[len(answer.body)] = fresh_database.sql("SELECT count(*) FROM billing_usagerecord")[0][0]
        return False

    await speak(acme, leave=look)
    assert (charged_with[SLICES - 1], charged_with[SLICES]) == (0, 1)
    assert all(charged == 0 for size, charged in charged_with.items() if size < SLICES)


async def test_a_format_that_the_engine_has_not_is_an_error_in_json(acme, usage):
    assert (await speak(acme, response_format="opus")).error["code"] == "invalid_request"
    assert {record["cost_nusd"] for record in await usage()} == {0}


async def test_who_leaves_has_been_spoken_to(acme, usage):
    await speak(acme, "tokens=50 ttft=1 gap=5", leave=lambda answer: len(answer.body) > 10_000)
    await speak(acme, "hang_after=0", gone=media.left())
    heard, unheard = await usage()
    assert (heard["outcome"], heard["cost_nusd"]) == ("client_left", heard["quantity"] * CHARACTER)
    assert heard["quantity"] > 0
    assert (unheard["outcome"], unheard["cost_nusd"], unheard["quantity"]) == ("no_output", 0, 0)


async def test_what_cannot_be_spoken_is_refused(acme, usage):
    for fields in (
        {"input": ""},
        {"input": "x" * 4097},
        {"response_format": "midi"},
        {"speed": 9},
        {"stream_format": "sse"},
        {"unknown": 1},
    ):
        assert (await speak(acme, **fields)).error["code"] == "invalid_request"
    assert await usage() == []


async def test_a_repeated_request_tells_what_the_first_one_cost(acme, usage):
    first, again = [await speak(acme, headers={"idempotency-key": "one"}) for _ in range(2)]
    assert first.headers["content-type"] == "audio/wav"
    assert (again.headers["content-type"], again.headers["idempotent-replayed"]) == ("application/json", "true")
    assert len(await usage()) == 1


async def test_credit_must_cover_every_character(customer):
    assert (await speak(await customer(credit=Decimal("0.0000001")))).error["code"] == "insufficient_credit"
