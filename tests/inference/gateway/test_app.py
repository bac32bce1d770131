"""The door: every wrong request gets the right status, code and shape, before any engine and any purse."""

from datetime import timedelta
from decimal import Decimal

import orjson
import pytest
from openai.types import Model as OpenAIModel

from billing import prices
from foundation import clock
from inference.models import Deployment, Model
from keys import issuing
from keys.models import ApiKey
from tenants import isolation
from tenants.audit import Actor
from tests.inference.gateway.door import CHAT, Door
from tests.threads import off_loop

SYSTEM = Actor.system("tests")
GOOD = {"model": "sim", "messages": [{"role": "user", "content": "hi [[sim tokens=2 ttft=1 gap=0]]"}]}


@pytest.fixture
async def acme(customer) -> Door:
    return await customer()


@pytest.fixture(autouse=True)
async def no_trace(request, engines, fresh_database):
    """Nothing that is refused reaches an engine or leaves a hold or a record."""
    yield
    if "refused" in request.node.name:
        assert fresh_database.sql("SELECT count(*) FROM billing_usagerecord") == [(0,)]
        assert fresh_database.sql("SELECT count(*) FROM billing_hold") == [(0,)]


def expect(answer, status: int, code: str) -> None:
    assert (answer.status, answer.error["code"]) == (status, code), answer.body
    assert set(answer.error) == {"message", "type", "param", "code"}
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"].startswith("req_")


@pytest.mark.parametrize("key", ["", "nonsense", "tpk_live_" + "a" * 36, "sk-" + "a" * 40])
async def test_a_wrong_key_is_refused(acme, key):
    expect(
        await Door(acme.gateway, key).chat(headers={"authorization": f"Bearer {key}" if key else ""}),
        401,
        "invalid_api_key",
    )


async def test_two_credentials_are_refused(acme):
    expect(await acme.chat(headers={"x-api-key": acme.key}), 400, "invalid_request")


async def test_the_key_may_come_in_other_headers(acme):
    for header in ("x-api-key", "api-key"):
        answer = await acme.ask(GOOD, headers={"authorization": "", header: acme.key})
        assert answer.status == 200


@off_loop
def _the_key(change) -> None:
    with isolation.everything():
        change(ApiKey.objects.get(kind="inference"))


async def test_a_revoked_key_is_refused_at_once_though_it_was_cached(acme, fresh_database):
    assert (await acme.ask(GOOD)).status == 200
    await _the_key(lambda key: issuing.revoke(key=key, actor=SYSTEM, reason="lost"))
    expect(await acme.ask(GOOD), 401, "key_revoked")
    fresh_database.sql("DELETE FROM billing_usagerecord")


async def test_an_expired_key_is_refused(acme):
    past = clock.now() - timedelta(seconds=1)
    await _the_key(lambda key: ApiKey.objects.filter(pk=key.pk).update(expires_at=past))
    expect(await acme.ask(GOOD), 401, "key_expired")


async def test_a_management_key_is_refused_here(acme, fresh_database):
    with_management = await off_loop(_management_key)()
    expect(await Door(acme.gateway, with_management).ask(GOOD), 401, "invalid_api_key")


def _management_key() -> str:
    with isolation.everything():
        acme = ApiKey.objects.filter(kind="inference").first().organization
        return issuing.issue_management(organization=acme, name="m", scopes=["usage.read"], actor=SYSTEM).secret


async def test_an_unknown_model_is_refused(acme):
    expect(await acme.ask(GOOD | {"model": "gpt-9"}), 404, "model_not_found")


async def test_a_model_outside_the_keys_list_is_refused(customer):
    acme = await customer(allowed_models=frozenset({"other"}))
    expect(await acme.ask(GOOD), 403, "model_not_allowed")


@off_loop
def _add_model(name: str, **fields) -> None:
    with isolation.everything():
        sim = Model.objects.get(pk="sim")
        model = Model.objects.create(
            pk=name, display_name=name, context_length=sim.context_length, max_output_tokens=100, **fields
        )
        Deployment.objects.create(model=model, pool=sim.deployments.get().pool, upstream_name="sim")


async def test_a_model_without_a_price_is_refused(acme):
    await _add_model("raw")
    await acme.gateway._news._reload()
    expect(await acme.ask(GOOD | {"model": "raw"}), 403, "model_not_priced")


@pytest.mark.parametrize("kinds", [("input",), ("output",), ("cached_input", "output"), ("requests",)])
async def test_no_tokens_are_given_away_because_their_rate_was_forgotten(acme, kinds):
    await _add_model("half")
    await off_loop(_publish)("half", **dict.fromkeys(kinds, Decimal(1)))
    await acme.gateway._news._reload()
    expect(await acme.ask(GOOD | {"model": "half"}), 403, "model_not_priced")


async def test_a_model_past_its_sunset_is_refused(acme):
    await _add_model("old", sunset_at=clock.now() - timedelta(days=1))
    await acme.gateway._news._reload()
    expect(await acme.ask(GOOD | {"model": "old"}), 404, "model_not_found")


async def test_a_public_name_hides_the_engines_name(acme):
    await _add_model("house/chat", aliases=["chat"])
    publish = off_loop(lambda: _publish("house/chat"))
    await publish()
    await acme.gateway._news._reload()
    for stream in (False, True):
        answer = await acme.ask(GOOD | {"model": "chat", "stream": stream})
        assert answer.status == 200
        assert b'"model":"house/chat"' in answer.body
        assert b'"model":"sim"' not in answer.body


def _publish(model: str, **components: Decimal) -> None:
    with isolation.everything():
        prices.publish(model=model, components=components or {"input": Decimal(1), "output": Decimal(0)}, actor=SYSTEM)


async def test_an_empty_wallet_is_refused(customer):
    acme = await customer(credit=Decimal(0))
    expect(await acme.ask(GOOD), 402, "insufficient_credit")


async def test_an_exhausted_budget_is_refused(customer):
    acme = await customer(budget_nusd=1000, budget_window="day")
    expect(await acme.ask(GOOD), 402, "budget_exceeded")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"nonsense",
        b'{"model":"sim","model":"sim","messages":[]}',
        b'{"a":' * 70 + b"1" + b"}" * 70,
        b'{"model":"sim","messages":[{"role":"user","content":"\xff"}]}',
        b"null",
        b'{"model":"sim"}',
    ],
)
async def test_malformed_json_is_refused(acme, body):
    expect(await acme.ask(body), 400, "invalid_request")


async def test_an_oversized_body_is_refused(acme):
    big = orjson.dumps(GOOD | {"messages": [{"role": "user", "content": "x" * (10 * 1024 * 1024)}]})
    expect(await acme.ask(big), 413, "request_too_large")
    expect(await acme.ask(b"{}", headers={"content-length": str(10**9)}), 413, "request_too_large")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
async def test_a_wrong_method_is_refused(acme, method):
    answer = await acme.ask(GOOD, method=method)
    expect(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "POST, OPTIONS"


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded"])
async def test_a_wrong_content_type_is_refused(acme, content_type):
    expect(await acme.ask(GOOD, headers={"content-type": content_type}), 415, "unsupported_media_type")


async def test_a_compressed_body_is_refused(acme):
    expect(await acme.ask(GOOD, headers={"content-encoding": "gzip"}), 415, "unsupported_media_type")


@pytest.mark.parametrize("path", ["/v1/", "/v1/nonsense", CHAT + "/", "/v1/chat"])
async def test_an_unknown_path_is_refused(acme, path):
    expect(await acme.ask(GOOD, path=path), 404, "not_found")


async def test_too_many_headers_are_refused(acme):
    expect(await acme.ask(GOOD, headers={f"x-{number}": "1" for number in range(101)}), 431, "request_head_too_large")
    expect(await acme.ask(GOOD, headers={"x-long": "1" * 9000}), 431, "request_head_too_large")


async def test_a_rate_limit_says_when_to_come_back(customer):
    acme = await customer(rpm=1)
    first = await acme.ask(GOOD)
    assert (first.headers["x-ratelimit-limit-requests"], first.headers["x-ratelimit-remaining-requests"]) == ("1", "0")
    second = await acme.ask(GOOD)
    expect(second, 429, "rate_limit_exceeded")
    assert 55 <= int(second.headers["retry-after"]) <= 61


async def test_a_refusal_by_a_limit_leaves_the_wallet_alone(customer, fresh_database):
    acme = await customer(rpm=0)
    expect(await acme.ask(GOOD), 429, "rate_limit_exceeded")
    assert fresh_database.sql("SELECT held_nusd FROM billing_purse WHERE kind = 'wallet'") == [(0,)]


async def test_a_refusal_by_the_wallet_leaves_the_limits_alone(customer, fresh_database):
    acme = await customer(credit=Decimal(0), rpm=1)
    expect(await acme.ask(GOOD), 402, "insufficient_credit")
    await acme.gateway._admission.drain()
    expect(await acme.ask(GOOD), 402, "insufficient_credit")


async def test_models_are_listed_in_openais_shape(acme):
    answer = await acme.ask(b"", method="GET", path="/v1/models")
    sim, *_ = [OpenAIModel.model_validate(entry) for entry in answer.json["data"]]
    assert (answer.json["object"], sim.id, sim.object) == ("list", "sim", "model")
    one = await acme.ask(b"", method="GET", path="/v1/models/sim")
    assert one.json["id"] == "sim"


async def test_models_outside_the_keys_list_are_not_listed(customer):
    acme = await customer(allowed_models=frozenset({"other"}))
    assert (await acme.ask(b"", method="GET", path="/v1/models")).json["data"] == []
    expect(await acme.ask(b"", method="GET", path="/v1/models/sim"), 404, "model_not_found")


async def test_models_want_a_key(acme):
    expect(await Door(acme.gateway, "x").ask(b"", method="GET", path="/v1/models"), 401, "invalid_api_key")
