"""Every 429 names the limit, its scope, what is left, and the instant from which it fits."""

from datetime import datetime
from itertools import product

import pytest

from foundation import clock
from inference.gateway.refusals import refusal
from keys.effective import Rate

SCOPES = {
    "organization": ("", "The organization"),
    "project": ("", "The project"),
    "key": ("", "The key"),
    "member": ("user_1", "The member"),
    "customer": ("alice", 'The customer "alice"'),
    "model": ("sim", 'The model "sim"'),
    "address": ("192.0.2.1", "The address"),
}
# The kinds of admission.lua.
LIMITS = {
    "rpm": (1, "requests"),
    "tpm": (2, "tokens"),
    "input_tpm": (3, "input tokens"),
    "output_tpm": (4, "output tokens"),
    "concurrency": (5, "requests at once"),
}
ALL = list(product(SCOPES, LIMITS))


def rate(scope: str, name: str, limit: int) -> Rate:
    limits = dict.fromkeys(LIMITS) | {name: limit}
    return Rate(scope=scope, scope_id="1", label=SCOPES[scope][0], **limits)


@pytest.mark.parametrize(("scope", "name"), ALL)
def test_a_limit_that_is_reached_says_all_of_it(scope, name):
    kind, unit = LIMITS[name]
    error = refusal(rate(scope, name, 100), kind, needed=30, limit=100, left=7, wait_ms=12_300)
    assert (error.status, error.param, error.retry_after) == (429, name, 12.3)
    assert error.message.startswith(SCOPES[scope][1])
    assert f"100 {unit}" in error.message
    if name != "concurrency":
        assert "7 left, 30 needed" in error.message
        instant = datetime.fromisoformat(error.message.rsplit(" at ", 1)[1].rstrip("."))
        assert abs((instant - clock.now()).total_seconds() - 12.3) < 2


@pytest.mark.parametrize(("scope", "name"), ALL)
def test_a_limit_of_zero_blocks_and_gives_no_hope(scope, name):
    error = refusal(rate(scope, name, 0), LIMITS[name][0], needed=1, limit=0, left=0, wait_ms=1000)
    assert (error.status, error.param, error.retry_after) == (429, name, None)
    assert f"{SCOPES[scope][1]}'s limit {name} is 0" in error.message


@pytest.mark.parametrize(("scope", "name"), [(scope, name) for scope, name in ALL if name != "concurrency"])
def test_what_can_never_fit_is_no_429(scope, name):
    error = refusal(rate(scope, name, 10), LIMITS[name][0], needed=11, limit=10, left=10, wait_ms=1000)
    assert (error.status, error.param) == (400, name)
    assert SCOPES[scope][1].removeprefix("The ") in error.message
