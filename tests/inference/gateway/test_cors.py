"""Scripts of web pages: they may read what a key is answered only where its organization allows their origin."""

import pytest

from inference.gateway import cors
from tenants import isolation, organizations
from tenants.audit import Actor
from tenants.models import Organization
from tests.inference.gateway.door import Door
from tests.threads import off_loop

PAGE, OTHER = "https://app.acme.test", "https://evil.test"
WANTED = "authorization, content-type, x-stainless-lang"


@pytest.fixture(autouse=True)
def asked_every_time(monkeypatch):
    monkeypatch.setattr(cors, "FRESH_SECONDS", 0.0)


@off_loop
def allow(name: str, *origins: str) -> None:
    with isolation.everything():
        organization = Organization.objects.get(name=name)
        organizations.allow_origins(organization=organization, origins=origins, actor=Actor.system("tests"))


async def preflight(door: Door, origin: str, **headers: str):
    asked = {"origin": origin, "access-control-request-method": "POST", "authorization": ""}
    return await door.ask(b"", method="OPTIONS", headers=asked | headers)


@pytest.fixture
async def acme(customer) -> Door:
    door = await customer()
    await allow("Acme", PAGE)
    return door


async def test_no_page_may_do_anything_unless_it_is_allowed(customer):
    acme = await customer()
    answer = await acme.chat(headers={"origin": PAGE})
    assert (answer.status, "access-control-allow-origin" in answer.headers) == (200, False)
    assert (await preflight(acme, PAGE)).status == 403


async def test_an_allowed_page_may_ask_and_read(acme):
    before = await preflight(acme, PAGE, **{"access-control-request-headers": WANTED})
    assert (before.status, before.body) == (204, b"")
    assert before.headers["access-control-allow-origin"] == PAGE
    assert before.headers["access-control-allow-methods"] == "POST, OPTIONS"
    assert before.headers["access-control-allow-headers"] == WANTED
    for answer in (await acme.chat(headers={"origin": PAGE}), await acme.stream(headers={"origin": PAGE})):
        assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, PAGE)
        assert answer.headers["vary"] == "origin"
        readable = answer.headers["access-control-expose-headers"].split(", ")
        assert {"x-request-id", "request-id", "retry-after", "x-turnpike-estimated"} <= set(readable)


async def test_a_refusal_can_be_read_by_the_page_too(acme):
    answer = await acme.ask(b"{", headers={"origin": PAGE})
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (400, PAGE)


async def test_what_one_organization_allows_opens_nothing_of_another(acme, customer):
    globex = await customer(name="Globex")
    assert (await preflight(globex, PAGE)).status == 204
    answer = await globex.chat(headers={"origin": PAGE})
    assert (answer.status, "access-control-allow-origin" in answer.headers) == (200, False)


@pytest.mark.parametrize("origin", [OTHER, "null", PAGE + ".evil.test", PAGE.upper(), "http://app.acme.test", "*"])
async def test_another_origin_is_not_allowed(acme, origin):
    assert (await preflight(acme, origin)).status == 403
    assert "access-control-allow-origin" not in (await acme.chat(headers={"origin": origin})).headers


async def test_a_star_allows_any_page(acme):
    await allow("Acme", "*")
    assert (await preflight(acme, OTHER)).headers["access-control-allow-origin"] == OTHER
    assert (await acme.chat(headers={"origin": OTHER})).headers["access-control-allow-origin"] == OTHER


async def test_a_page_that_is_allowed_no_longer_reads_no_more(acme):
    assert "access-control-allow-origin" in (await acme.chat(headers={"origin": PAGE})).headers
    await allow("Acme")
    assert (await preflight(acme, PAGE)).status == 403
    await acme.chat()
    assert "access-control-allow-origin" not in (await acme.chat(headers={"origin": PAGE})).headers


async def test_no_answer_allows_cookies(acme):
    for answer in (await preflight(acme, PAGE), await acme.chat(headers={"origin": PAGE})):
        assert "access-control-allow-credentials" not in answer.headers


async def test_a_wrong_key_is_no_key_of_an_organization(acme):
    answer = await Door(acme.gateway, "nonsense").chat(headers={"origin": PAGE})
    assert (answer.status, "access-control-allow-origin" in answer.headers) == (401, False)


async def test_header_names_that_are_none_are_not_repeated(acme):
    answer = await preflight(acme, PAGE, **{"access-control-request-headers": "a b;c"})
    assert "access-control-allow-headers" not in answer.headers
