"""Nothing that an engine does is free by omission: every route of the inference API takes a hold first."""

import re
from decimal import Decimal

import pytest

from config.local import catalogue
from config.local.engines import Kind
from inference.gateway.engines.kinds import ENGINES
from inference.gateway.surfaces.router import ROUTES
from tenants import isolation
from tests.architecture import checkout
from tests.inference.gateway.forms import FORM
from tests.inference.gateway.small_requests import ASKED


@pytest.fixture
def catalogued(request, fresh_database, engines):
    """The simulated model is for sale, on engines of a kind that serves the route in question."""
    with isolation.everything():
        catalogue.offer(Kind.SIMULATOR, [engine.url for engine in engines])
    surface = ROUTES[request.node.callspec.params["path"]].name
    kind = next(kind for kind in ("vllm", *ENGINES) if surface in ENGINES[kind].wires)
    fresh_database.sql("UPDATE inference_pool SET engine = %s", kind)


def headers(path: str) -> dict[str, str]:
    return FORM if isinstance(ASKED[path], bytes) else {}


CHARGED = [path for path, surface in ROUTES.items() if surface.charges]


def test_only_what_counts_tokens_is_for_nothing():
    assert ROUTES.keys() - set(CHARGED) <= {"/v1/messages/count_tokens", "/v1/tokenize", "/v1/detokenize"}


@pytest.mark.parametrize("path", CHARGED)
async def test_without_credit_no_route_reaches_an_engine(customer, usage, engines, path):
    acme = await customer(credit=Decimal(0))
    before = [len(engine.witness()["requests"]) for engine in engines]
    answer = await acme.ask(ASKED[path], path=path, headers=headers(path))
    assert (answer.status, "insufficient_credit" in answer.body.decode()) == (402, True)
    assert ([len(engine.witness()["requests"]) for engine in engines], await usage()) == (before, [])


@pytest.mark.parametrize("path", CHARGED)
async def test_every_route_holds_its_worst_case_and_settles(customer, usage, path):
    acme = await customer()
    assert (await acme.ask(ASKED[path], path=path, headers=headers(path))).status == 200
    (record,) = await usage()
    assert 0 < record["cost_nusd"] <= record["hold_nusd"]


def test_there_is_one_way_to_an_engine():
    """Whoever posts to an engine does so in the relay, which is handed an exchange, which has a hold."""
    callers = {
        checkout.name(path)
        for path in checkout.files()
        if path.suffix == ".py"
        and path.is_relative_to(checkout.ROOT / "inference" / "gateway")
        and re.search(r"upstream\.post\(", path.read_text(encoding="utf-8"))
    }
    assert callers == {"inference/gateway/relay.py"}
