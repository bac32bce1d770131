"""From signing in to seeing what a first request cost, as a person does it."""

import json
import urllib.request

import pytest
from playwright.sync_api import Page, expect

from keys.models import ApiKey
from tenants import isolation
from tests.browser.conftest import Place, sign_in

HOME = "/app/acme-robotics"


def ask_the_model(place: Place, secret: str) -> None:
    """Make the request that the page proposes."""
    body = {"model": "sim", "messages": [{"role": "user", "content": "Capital of France?"}]}
    headers = {"authorization": f"Bearer {secret}", "content-type": "application/json"}
    request = urllib.request.Request(f"{place.base_url}/chat/completions", json.dumps(body).encode(), headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=30) as answer:
        assert answer.status == 200


def test_sign_in_make_a_key_use_it_and_see_what_it_cost(page: Page, place: Place):
    sign_in(page, "ada@acme.example")
    page.get_by_role("link", name="API keys").click()
    page.get_by_role("link", name="New API key").click()
    page.get_by_label("Name").fill("First steps")
    page.get_by_label("Expires").select_option("In 30 days")
    page.get_by_role("button", name="Create key").click()

    expect(page.get_by_role("heading", name="Copy your new key now")).to_be_visible()
    secret = page.locator("#secret").inner_text()
    assert secret.startswith("tpk_live_")

    page.get_by_role("link", name="I have copied it").click()
    page.get_by_role("link", name="First steps").click()
    expect(page.get_by_text("None yet. A request shows here")).to_be_visible()
    assert secret not in page.content()

    ask_the_model(place, secret)
    page.get_by_role("link", name="Usage", exact=True).click()
    first = page.get_by_role("region", name="Requests", exact=True).get_by_role("row").nth(1)
    expect(first).to_contain_text("sim")
    expect(first).to_contain_text("First steps")
    expect(first).to_contain_text("Complete")
    expect(first).to_contain_text("$0.0")


def test_a_secret_is_copied_by_a_button(open_page, place: Place):
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    sign_in(page, "ada@acme.example", f"{HOME}/keys/new/")
    page.get_by_label("Name").fill("To copy")
    page.get_by_role("button", name="Create key").click()
    page.get_by_role("button", name="Copy").first.click()
    expect(page.get_by_role("button", name="Copied").first).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#secret").inner_text()


def test_limits_and_a_last_day_are_asked_for_only_when_wanted(page: Page, place: Place):
    sign_in(page, "ada@acme.example", f"{HOME}/keys/new/")
    expect(page.get_by_label("Last day")).to_be_hidden()
    page.get_by_label("Expires").select_option("On a date…")
    expect(page.get_by_label("Last day")).to_be_visible()
    expect(page.get_by_label("Requests per minute")).to_be_hidden()
    page.get_by_text("Limits", exact=True).click()
    page.get_by_label("Requests per minute").fill("60")
    page.get_by_label("Name").fill("Limited")
    page.get_by_role("button", name="Create key").click()
    # The day is missing: the form is back, and still open where it was used.
    expect(page.get_by_text("Choose the last day")).to_be_visible()
    expect(page.get_by_label("Requests per minute")).to_have_value("60")


def test_a_key_is_rotated_and_revoked_after_a_question(page: Page, place: Place):
    sign_in(page, "ada@acme.example", f"{HOME}/keys/new/")
    page.get_by_label("Name").fill("Short-lived")
    page.get_by_role("button", name="Create key").click()
    page.get_by_role("link", name="I have copied it").click()
    page.get_by_role("link", name="Short-lived").click()

    page.get_by_role("button", name="Rotate…").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.get_by_role("button", name="Rotate…").click()
    page.get_by_role("button", name="Rotate key").click()
    expect(page.get_by_role("heading", name="Copy your new key now")).to_be_visible()

    page.get_by_role("link", name="I have copied it").click()
    page.get_by_role("row", name="Being replaced").get_by_role("link").click()
    page.get_by_role("button", name="Revoke…").click()
    page.get_by_label("Reason").fill("Done with it")
    page.get_by_role("button", name="Revoke key").click()
    expect(page.get_by_text("“Short-lived” is revoked")).to_be_visible()


def test_all_of_it_works_without_scripts(open_page, place: Place):
    page = open_page(java_script_enabled=False)
    sign_in(page, "ada@acme.example", f"{HOME}/keys/new/")
    page.get_by_label("Name").fill("Plain")
    page.get_by_role("button", name="Create key").click()
    assert page.locator("#secret").inner_text().startswith("tpk_live_")


def test_a_viewer_finds_no_way_to_make_a_key(page: Page, place: Place):
    sign_in(page, "vic@acme.example", f"{HOME}/keys/")
    expect(page.get_by_role("link", name="New API key")).to_have_count(0)
    expect(page.get_by_text("Search, production")).to_be_visible()


def test_a_form_that_is_sent_twice_makes_one_key(page: Page, place: Place):
    sign_in(page, "ada@acme.example", f"{HOME}/keys/new/")
    page.get_by_label("Name").fill("Once")
    page.get_by_role("button", name="Create key").dblclick()
    expect(page.locator("#secret")).to_be_visible()

    def count() -> int:
        with isolation.everything():
            return ApiKey.objects.filter(name="Once").count()

    assert place.ask(count) == 1


def test_an_operator_adjusts_credit_with_a_reason(page: Page, place: Place):
    sign_in(page, "operator@example.com", "/admin/")
    expect(page.get_by_text("Balance held")).to_be_visible()
    page.get_by_role("link", name="Organizations").first.click()
    page.get_by_role("link", name="Globex").click()
    page.get_by_role("link", name="Adjust credit").click()
    page.get_by_label("Amount in USD").fill("2.5")
    page.get_by_label("Reason").fill("Goodwill")
    page.get_by_role("button", name="Adjust credit").click()
    expect(page.get_by_text("The credit was adjusted.")).to_be_visible()
    expect(page.get_by_text("$42.50")).to_be_visible()


@pytest.mark.parametrize("email", ["hank@globex.example"])
def test_the_pages_of_another_organization_are_not_there(open_page, place: Place, email: str):
    page = open_page()
    sign_in(page, email)
    answer = page.request.get(f"{HOME}/")
    assert answer.status == 404
