"""Plans: the platform's to read, one's own to write."""

from __future__ import annotations

import pytest

from keys import planning
from keys.effective import Limits
from tests.api.world import error
from tests.tenants import cast

LIMITS = {"rpm": 60, "budget_nano_usd": 1_500_000_000, "budget_window": "day"}


@pytest.fixture
def platform(db):
    """A plan of the platform."""
    return planning.create(name="Free", slug="free", limits=Limits(rpm=3), actor=cast.SYSTEM)


def test_a_plan_is_made_and_read(by_key):
    made = by_key("POST", "plans", {"name": "Team", "slug": "team", "limits": LIMITS}).json()
    assert (made["name"], made["slug"], made["owner"]) == ("Team", "team", "organization")
    assert (made["limits"]["rpm"], made["limits"]["budget_usd"]) == (60, "1.500000000")
    assert by_key.get(f"plans/{made['id']}") == made


def test_the_platforms_plans_are_there_for_all(platform, acme, globex, by_key):
    assert [(row["slug"], row["owner"]) for row in by_key.get("plans")["data"]] == [
        ("small", "organization"),
        ("free", "platform"),
    ]
    body = {"name": "New", "project": acme.project.public_id, "plan": platform.public_id}
    assert by_key("POST", "keys", body).json()["plan"] == platform.public_id


@pytest.mark.parametrize("change", [{"name": "Mine"}, {"limits": {"rpm": 9}}])
def test_the_platforms_plans_are_not_changed_here(platform, by_key, change):
    answer = by_key("PATCH", f"plans/{platform.public_id}", change)
    assert (answer.status_code, error(answer)["code"]) == (403, "forbidden")
    assert by_key.get(f"plans/{platform.public_id}")["name"] == "Free"


def test_a_plan_is_changed_in_what_is_named_only(acme, by_key):
    path = f"plans/{acme.plan.public_id}"
    assert by_key("PATCH", path, {"name": "Large"}).json()["limits"]["tpm"] == 1000
    changed = by_key("PATCH", path, {"limits": {"rpm": 1}}).json()
    assert (changed["name"], changed["limits"]["rpm"], changed["limits"]["tpm"]) == ("Large", 1, None)
    assert by_key.get(path) == changed


def test_a_slug_is_taken_once_per_organization(by_key):
    answer = by_key("POST", "plans", {"name": "Small", "slug": "small", "limits": {}})
    assert (answer.status_code, error(answer)["code"]) == (409, "slug_taken")
