"""Every page in light, in dark and on a phone: nothing is cut off, and everybody can read and reach it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Place, sign_in

AXE = (Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
HOME = "/app/acme-robotics"
PUBLIC = [
    "/",
    "/status",
    "/accounts/login/",
    "/accounts/signup/",
    "/accounts/password/reset/",
    "/docs/",
    "/docs/limits/",
]
INSIDE = [
    f"{HOME}/",
    f"{HOME}/usage/?period=30d",
    f"{HOME}/statements/",
    f"{HOME}/keys/",
    f"{HOME}/keys/new/",
    f"{HOME}/limits/",
    f"{HOME}/limits/of/?scope=customer",
    f"{HOME}/settings/",
    "/app/globex-labs/",
    "/accounts/password/change/",
    "/accounts/email/",
]
PHONE = {"width": 360, "height": 740}


# What fades in has another contrast until it is there; what moves for ever is as it is.
SETTLED = """() => Promise.allSettled(
    document.getAnimations().filter(one => one.effect?.getComputedTiming().endTime < 10000).map(one => one.finished)
)"""


def problems(page: Page) -> list[str]:
    """Return what axe finds against WCAG 2, A and AA. It is evaluated from outside, beyond the page's policy."""
    page.evaluate(SETTLED)
    page.evaluate(AXE)
    rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
    found: dict[str, Any] = page.evaluate("rules => axe.run(document, rules)", rules)
    return [
        f"{violation['id']}: {node['html'][:160]}" for violation in found["violations"] for node in violation["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_read_and_reach_the_public_pages(open_page, scheme):
    page = open_page(color_scheme=scheme)
    for address in PUBLIC:
        page.goto(address)
        assert problems(page) == [], address


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_read_and_reach_the_pages_inside(open_page, scheme):
    page = open_page(color_scheme=scheme)
    sign_in(page, "ada@acme.example")
    for address in INSIDE:
        page.goto(address)
        assert problems(page) == [], address
    page.goto(f"{HOME}/keys/")
    page.get_by_role("link", name="Search, production").click()
    assert problems(page) == []
    page.get_by_role("button", name="Rotate…").click()
    assert problems(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_every_page_without_scrolling_sideways(open_page, scheme):
    page = open_page(viewport=PHONE, color_scheme=scheme)
    sign_in(page, "ada@acme.example")
    for address in PUBLIC + INSIDE:
        page.goto(address)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["width"], address


def test_a_phone_shows_the_operators_pages_without_scrolling_sideways(open_page):
    page = open_page(viewport=PHONE)
    sign_in(page, "operator@example.com", "/admin/")
    for kind in ("tenants/user", "tenants/auditevent", "tenants/organization", "billing/price", "inference/pool"):
        page.goto(f"/admin/{kind}/")
        page.goto(page.locator("#result_list a[href*='/change/']").first.get_attribute("href"))
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], kind


def test_the_menu_of_a_phone_opens_and_leads_on(open_page):
    page = open_page(viewport=PHONE)
    sign_in(page, "ada@acme.example")
    usage = page.get_by_role("banner").get_by_role("link", name="Usage", exact=True)
    expect(usage).to_be_hidden()
    page.get_by_role("banner").locator("summary").first.click()
    usage.click()
    page.wait_for_url("**/usage/")


def test_a_chosen_theme_is_kept(open_page):
    page = open_page(color_scheme="light")
    page.goto("/")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Dark theme").first.click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    page.goto("/status")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.get_by_role("button", name="System theme").first.click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == light


def test_the_keyboard_alone_is_enough(page: Page):
    sign_in(page, "ada@acme.example")
    page.goto(f"{HOME}/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    page.goto(f"{HOME}/")
    menu = page.get_by_role("complementary").locator("details[data-menu]")
    menu.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("complementary").get_by_role("link", name="Globex")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("complementary").get_by_role("link", name="Globex")).to_be_hidden()
    expect(menu.locator("summary")).to_be_focused()


def test_the_chart_tells_its_numbers_to_those_who_point_and_to_those_who_cannot_see(page: Page):
    sign_in(page, "ada@acme.example", f"{HOME}/usage/?period=30d")
    expect(page.get_by_role("table", name="Last 30 days")).to_have_count(1)
    bars = page.locator("figure .group\\/bar")
    expect(bars).to_have_count(30)
    bars.nth(28).hover()
    expect(bars.nth(28).locator("p").first).to_be_visible()


def test_the_example_can_be_read_in_both_languages(page: Page):
    page.goto("/")
    expect(page.locator("#example-shell")).to_be_visible()
    expect(page.locator("#example-python")).to_be_hidden()
    page.get_by_text("Python", exact=True).click()
    expect(page.locator("#example-python")).to_be_visible()
    expect(page.locator("#example-shell")).to_be_hidden()


def test_the_operators_pages_run_under_their_policy(page: Page, place: Place):
    sign_in(page, "operator@example.com", "/admin/")
    expect(page.locator("canvas.chart")).to_be_visible()
    for address in ("tenants/organization/", "billing/usagerecord/", "inference/model/add/", "tenants/user/add/"):
        page.goto(f"/admin/{address}")
        expect(page.locator("#content-main, #changelist").first).to_be_visible()
