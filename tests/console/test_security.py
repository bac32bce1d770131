"""The browser's policy holds: nothing on our pages needs an inline script or style, and nothing leaks."""

import re

import pytest

from tests.console.cast import bill, offer, settle, visitor

PUBLIC = ["/", "/status", "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/", "/nothing-here"]
INSIDE = ["/app/acme/", "/app/acme/usage/", "/app/acme/keys/", "/app/acme/keys/new/", "/accounts/password/change/"]
# What a policy without 'unsafe-inline' refuses: inline styles, handlers, and scripts that are no data.
INLINE = re.compile(r"\sstyle=|\son[a-z]+=|<style|<script(?![^>]*\b(?:src=|type=\"application/json\"))", re.IGNORECASE)


@pytest.mark.parametrize("page", PUBLIC)
def test_public_pages_keep_the_policy(db, page):
    _check(visitor().get(page))


@pytest.mark.parametrize("page", INSIDE)
def test_pages_of_an_organization_keep_the_policy(ada, key, page):
    offer()
    settle(bill(key))
    _check(ada.get(page))


def test_the_page_of_a_key_keeps_the_policy_and_shows_no_digest(ada, key):
    answer = ada.get(f"/app/acme/keys/{key.public_id}/")
    _check(answer)
    assert bytes(key.digest).hex() not in answer.content.decode()


def test_the_page_with_a_secret_is_stored_nowhere(ada):
    answer = ada.post("/app/acme/keys/new/", {"name": "Web", "project": _project(ada), "lifetime": "never"})
    _check(answer)
    assert "no-store" in answer.headers["cache-control"]
    assert answer.headers["referrer-policy"] == "same-origin"


def _check(answer) -> None:
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert not INLINE.findall(answer.content.decode())


def _project(ada) -> str:
    return re.findall(r'<option value="([0-9a-f-]{36})"', ada.get("/app/acme/keys/new/").content.decode())[0]
