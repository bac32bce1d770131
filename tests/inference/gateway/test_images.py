"""Pictures, charged by how many came."""

from decimal import Decimal

import pytest

from tests.inference.gateway import media
from tests.inference.gateway.media import IMAGE, IMAGES


@pytest.fixture
def catalogued(fresh_database, engines):
    media.offer(engines)


@pytest.fixture
async def acme(customer):
    return await customer()


async def draw(door, directive="", **fields):
    ways = {name: fields.pop(name) for name in ("headers",) if name in fields}
    body = {"model": "sim", "prompt": f"a gate {media.directive(directive)}", "size": "16x16"} | fields
    return await door.ask(body, path=IMAGES, **ways)


async def test_each_picture_has_its_price(acme, usage):
    for count in (1, 3):
        answer = await draw(acme, n=count)
        assert (answer.status, len(answer.json["data"])) == (200, count)
        assert answer.headers["x-turnpike-cost-nano-usd"] == str(count * IMAGE)
    first, second = await usage()
    assert (first["unit"], first["quantity"], second["quantity"]) == ("images", 1, 3)
    assert (second["outcome"], second["endpoint"], second["cost_nusd"]) == ("complete", "images.generations", 3 * IMAGE)


async def test_pictures_that_do_not_come_cost_nothing(acme, usage):
    for directive in ("status=500", "die_after=1", "rst_after=1", "bad_gzip"):
        assert (await draw(acme, directive, n=2)).error["code"] == "upstream_error"
    assert {(record["cost_nusd"], record["quantity"]) for record in await usage()} == {(0, 0)}


async def test_what_cannot_be_drawn_is_refused(acme, usage):
    for fields in ({"prompt": ""}, {"n": 11}, {"n": 0}, {"size": "big"}, {"response_format": "gif"}, {"unknown": 1}):
        assert (await draw(acme, **fields)).error["code"] == "invalid_request"
    assert await usage() == []


async def test_a_repeated_request_draws_once(acme, usage):
    _, again = [await draw(acme, headers={"idempotency-key": "one"}) for _ in range(2)]
    assert (again.json["data"], again.headers["idempotent-replayed"]) == ([], "true")
    assert len(await usage()) == 1


async def test_credit_must_cover_all_pictures(customer, usage):
    poor = await customer(credit=Decimal("0.05"))
    assert (await draw(poor, n=2)).error["code"] == "insufficient_credit"
    assert (await draw(poor, n=1)).status == 200


class TestNotPriced:
    """A model whose price has no rate for pictures, nor for tokens."""

    @pytest.fixture
    def catalogued(self, fresh_database, engines):
        media.offer(engines, seconds=Decimal(1))

    async def test_nothing_is_drawn(self, acme, usage):
        assert (await draw(acme)).error["code"] == "model_not_priced"
        assert await usage() == []
