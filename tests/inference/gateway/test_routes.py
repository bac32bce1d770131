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
from tests.inference.gateway.forms import FORM, form
from tests.tables.inputs import MESSAGES

# A small request of each kind. A route that is not named here fails the test: say what it is asked.
ASKED = {
    "/v1/chat/completions": {"model": "sim", "messages": MESSAGES, "max_tokens": 1},
    "/v1/completions": {"model": "sim", "prompt": "hi [[sim tokens=1 ttft=1 gap=0]]", "max_tokens": 1},
    "/v1/embeddings": {"model": "sim", "input": "hi"},
    "/v1/responses": {"model": "sim", "input": "hi [[sim tokens=1 ttft=1 gap=0]]", "max_output_tokens": 16},
    "/v1/rerank": {"model": "sim", "query": "hi", "documents": ["one", "two"]},
    "/v1/score": {"model": "sim", "text_1": "hi", "text_2": "ho"},
    "/v1/moderations": {"model": "sim", "input": "hi"},
    "/v1/messages": {"model": "sim", "messages": MESSAGES, "max_tokens": 1},
    "/v1/audio/transcriptions": form(model="sim-transcribe"),
    "/v1/audio/translations": form(model="sim-transcribe"),
    "/v1/audio/speech": {"model": "sim-speech", "input": "hi", "voice": "a", "response_format": "wav"},
    "/v1/images/generations": {"model": "sim-image", "prompt": "hi", "size": "16x16"},
}


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
