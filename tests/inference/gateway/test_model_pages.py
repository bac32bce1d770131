"""The catalogue in Anthropic's shape, in pages."""

from functools import partial

import pytest
from anthropic.types import ModelInfo

from foundation.errors import InvalidRequest
from inference.gateway.catalogue import Model
from inference.gateway.model_pages import page
from tests.inference.gateway.door import Door

ANTHROPIC = {"anthropic-version": "2023-06-01"}


def model(number: int) -> Model:
    return Model(f"m{number}", f"Model {number}", "us", number, 8192, 4096, frozenset(), None, (), ())


MODELS = [model(number) for number in range(1, 6)]

PAGES = [
    (b"", ["m5", "m4", "m3", "m2", "m1"], False),
    (b"limit=2", ["m5", "m4"], True),
    (b"limit=2&after_id=m4", ["m3", "m2"], True),
    (b"limit=2&after_id=m2", ["m1"], False),
    (b"after_id=m1", [], False),
    (b"limit=2&before_id=m2", ["m4", "m3"], True),
    (b"limit=9&before_id=m4", ["m5"], False),
    (b"lifecycle=active&limit=1000", ["m5", "m4", "m3", "m2", "m1"], False),
]


@pytest.mark.parametrize(("query", "ids", "more"), PAGES, ids=[query.decode() or "all" for query, _, _ in PAGES])
def test_models_come_newest_first_and_in_pages(query, ids, more):
    found = page(MODELS, query)
    assert ([one["id"] for one in found["data"]], found["has_more"]) == (ids, more)
    assert (found["first_id"], found["last_id"]) == ((ids[0], ids[-1]) if ids else (None, None))
    assert all(ModelInfo(**one).type == "model" for one in found["data"])


@pytest.mark.parametrize("query", [b"limit=0", b"limit=1001", b"limit=x", b"limit=", b"after_id=nobody", b"before_id="])
def test_a_page_that_makes_no_sense_is_refused(query):
    with pytest.raises(InvalidRequest):
        page(MODELS, query)
    with pytest.raises(InvalidRequest, match="not both"):
        page(MODELS, b"after_id=m1&before_id=m2")


async def test_clients_of_anthropic_get_models_and_errors_in_its_words(customer):
    acme: Door = await customer()
    get = partial(acme.ask, b"", method="GET", headers=ANTHROPIC)
    listed = await get(path="/v1/models")
    assert {one["type"] for one in listed.json["data"]} == {"model"}
    assert listed.headers["request-id"] == listed.headers["x-request-id"]
    assert (await get(path="/v1/models/sim")).json["display_name"] == "Simulator"
    for path in ("/v1/models/nothing", "/v1/nothing"):
        missing = await get(path=path)
        assert (missing.status, missing.json["type"], missing.error["type"]) == (404, "error", "not_found_error")


async def test_a_key_that_is_wrong_is_told_so_in_anthropics_words(gateway):
    stranger = Door(gateway, "nonsense")
    refused = await stranger.ask({"model": "sim"}, path="/v1/messages")
    assert (refused.status, refused.error["type"], refused.error["code"]) == (
        401,
        "authentication_error",
        "invalid_api_key",
    )
