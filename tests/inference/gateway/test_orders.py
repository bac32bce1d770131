"""Whom a request is for beside its key: end customers, models, addresses and members have limits of their own."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import pytest

from foundation import clock
from keys import issuing, limiting
from keys.effective import Limits
from tenants import isolation
from tenants.audit import Actor
from tenants.models import Organization, Role, User
from tests.inference.gateway.door import Answer, Door
from tests.tenants import cast
from tests.threads import off_loop

SYSTEM = Actor.system("tests")
SHORT = "hi [[sim tokens=2 ttft=1 gap=0]]"

type Limit = Callable[..., Awaitable[None]]


@pytest.fixture
async def acme(customer) -> Door:
    return await customer()


@off_loop
def set_limits(scope: str, name: str | None, limits: Limits, slug: str = "acme") -> None:
    with isolation.everything():
        organization = Organization.objects.get(slug=slug)
        limiting.set_limits(target=limiting.subject(organization, scope, name), limits=limits, actor=SYSTEM)


def of(name: str) -> dict[str, str]:
    return {"x-turnpike-customer": name}


def statuses(*answers: Answer) -> list[int]:
    return [answer.status for answer in answers]


async def test_an_organization_without_such_limits_asks_nothing_more(acme, monkeypatch):
    asked: list[str] = []
    monkeypatch.setattr(acme.gateway.services.finer, "_fetch", asked.append)
    assert (await acme.chat(SHORT, user="alice")).status == 200
    assert asked == []


async def test_each_customer_has_counters_of_its_own(acme):
    await set_limits("customer", None, Limits(rpm=1))
    first, again = await acme.chat(SHORT, user="alice"), await acme.chat(SHORT, user="alice")
    other = await acme.chat(SHORT, user="bob")
    assert statuses(first, again, other) == [200, 429, 200]
    assert 'The customer "alice"' in again.error["message"]
    assert again.error["param"] == "rpm"
    assert int(again.headers["retry-after"]) > 50


async def test_a_customers_own_limits_take_the_place_of_those_for_each(acme):
    await set_limits("customer", None, Limits(rpm=0))
    await set_limits("customer", "alice", Limits(rpm=5))
    assert statuses(await acme.chat(SHORT, user="alice"), await acme.chat(SHORT, user="bob")) == [200, 429]


async def test_a_change_counts_from_the_next_request_on(acme):
    await set_limits("customer", "alice", Limits(rpm=50))
    assert (await acme.chat(SHORT, user="alice")).status == 200
    await set_limits("customer", "alice", Limits(rpm=0))
    assert (await acme.chat(SHORT, user="alice")).status == 429


async def test_the_header_wins_over_the_body_and_is_recorded(acme, usage):
    assert (await acme.chat(SHORT, user="alice", headers=of("bob"))).status == 200
    (record,) = await usage()
    assert record["customer"] == "bob"


@pytest.mark.parametrize("name", ["a" * 129, "tab\there", " ", "\xff"])
async def test_a_customer_that_cannot_be_one_is_refused_by_name(acme, name):
    answer = await acme.chat(SHORT, headers={"x-turnpike-customer": name})
    if name == "\xff":
        assert answer.status == 200  # The door writes UTF-8, and this is a letter.
    else:
        assert (answer.status, answer.error["param"]) == (400, "x-turnpike-customer")
    body = await acme.chat(SHORT, user="nul\x00")
    assert (body.status, body.error["param"]) == (400, "user")


async def test_globex_has_another_alice(acme, customer):
    globex = await customer(name="Globex")
    await set_limits("customer", "alice", Limits(rpm=1))
    await acme.chat(SHORT, user="alice")
    assert statuses(await acme.chat(SHORT, user="alice"), await globex.chat(SHORT, user="alice")) == [429, 200]


async def test_a_model_is_limited_over_all_keys(acme):
    await set_limits("model", "sim", Limits(rpm=1, max_output_tokens=1))
    first, second = await acme.chat(SHORT), await acme.chat(SHORT)
    assert first.json["usage"]["completion_tokens"] == 1
    assert second.status == 429
    assert 'The model "sim"' in second.error["message"]


async def test_an_address_is_limited_and_not_told(acme):
    await set_limits("address", None, Limits(rpm=1))
    await acme.chat(SHORT)
    refused = await acme.chat(SHORT)
    acme.address = "192.0.2.2"
    assert statuses(refused, await acme.chat(SHORT)) == [429, 200]
    assert "192.0.2" not in refused.error["message"]


async def test_nobody_gets_another_address_by_saying_so(acme):
    await set_limits("address", None, Limits(rpm=1))
    await acme.chat(SHORT)
    assert (await acme.chat(SHORT, headers={"x-forwarded-for": "203.0.113.9"})).status == 429


async def test_a_member_is_limited_over_all_keys_they_made(acme):
    @off_loop
    def keys_of_a_member() -> tuple[str, str, str]:
        with isolation.everything():
            organization = Organization.objects.get(slug="acme")
            user: User = cast.member(organization, Role.OWNER)
            project, theirs = organization.projects.get(), Actor.of_user(user)
            one, two = (issuing.issue(project=project, name="Key", actor=theirs).secret for _ in range(2))
            return one, two, user.public_id

    one, two, member = await keys_of_a_member()
    await set_limits("member", member, Limits(rpm=1))
    answers = [await Door(acme.gateway, key).chat(SHORT) for key in (one, two, acme.key)]
    assert statuses(*answers) == [200, 429, 200]
    assert "The member's limit" in answers[1].error["message"]


async def test_each_customer_has_a_budget_of_its_own(acme, usage, fresh_database):
    await set_limits("customer", None, Limits(budget_nusd=2_000_000, budget_window="billing_period"))
    enough = {"max_tokens": 100, "user": "alice"}
    assert (await acme.chat(SHORT, **enough)).status == 200
    fresh_database.sql("UPDATE billing_purse SET posted_nusd = 2000000 WHERE kind = 'budget'")
    refused, other = await acme.chat(SHORT, **enough), await acme.chat(SHORT, **enough | {"user": "bob"})
    fresh_database.sql("UPDATE billing_purse SET posted_nusd = 1 WHERE posted_nusd = 2000000 AND kind = 'budget'")
    assert statuses(refused, other) == [402, 200]
    error = refused.error
    assert (error["code"], error["param"]) == ("budget_exceeded", "budget_nusd")
    assert 'The customer "alice"' in error["message"]
    assert "per billing period" in error["message"]
    assert "reserved" in error["message"]
    ends = datetime.fromisoformat(error["message"].rsplit(" at ", 1)[1].rstrip("."))
    assert abs((ends - clock.now()).total_seconds() - int(refused.headers["retry-after"])) < 5
    assert timedelta(0) < ends - clock.now() <= timedelta(days=31)
    assert fresh_database.sql("SELECT count(DISTINCT budget_id) FROM billing_purse WHERE kind = 'budget'") == [(2,)]


async def test_a_refused_request_leaves_all_other_scopes_untouched(acme, fresh_database):
    await set_limits("model", "sim", Limits(rpm=2, budget_nusd=10**9, budget_window="day"))
    await set_limits("customer", "alice", Limits(rpm=0))
    for _ in range(5):
        assert (await acme.chat(SHORT, user="alice")).status == 429
    await acme.gateway._admission.drain()
    assert statuses(*[await acme.chat(SHORT, user="bob") for _ in range(3)]) == [200, 200, 429]
    assert fresh_database.sql("SELECT sum(held_nusd) FROM billing_purse") == [(0,)]


async def test_a_full_pool_is_overloaded_and_counts_for_nobody(acme, customer, usage, fresh_database):
    fresh_database.sql("UPDATE inference_pool SET max_concurrency = 1")
    await acme.gateway._news._reload()
    globex = await customer(name="Globex", rpm=2)
    running = asyncio.ensure_future(acme.chat("hi [[sim ttft=600 tokens=1]]"))
    await asyncio.sleep(0.2)
    refused = [await globex.chat(SHORT) for _ in range(4)]
    assert {(answer.status, answer.error["code"], answer.headers["retry-after"]) for answer in refused} == {
        (503, "overloaded", "1")
    }
    assert (await running).status == 200
    await acme.gateway._admission.drain()
    assert statuses(*[await globex.chat(SHORT) for _ in range(3)]) == [200, 200, 429]
    assert len(await usage()) == 3
    assert fresh_database.sql("SELECT sum(held_nusd) FROM billing_purse") == [(0,)]


async def test_agents_that_ask_for_much_and_use_little_are_not_throttled_once_they_are_known(customer):
    acme = await customer(tpm=10_000)
    agent = {"max_tokens": 4096}
    alone = [await acme.chat(SHORT, **agent) for _ in range(3)]
    await acme.gateway._admission.drain()
    together = await asyncio.gather(*(acme.chat(SHORT, **agent) for _ in range(20)))
    assert set(statuses(*alone, *together)) == {200}
