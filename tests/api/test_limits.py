"""Limits of every scope: who may set them, what applies, and how full budgets are."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing.models import BudgetNotice
from foundation import clock, ids
from inference.models import Model
from keys import limiting
from keys.effective import Limits
from keys.models import ScopeLimits
from tests.api import world
from tests.api.world import Asking, error, rfc3339
from tests.inference import records
from tests.inference.limits.cast import hold, spend
from tests.keys import cast as keys
from tests.tenants import cast

DAILY = {"budget_nano_usd": 1000, "budget_window": "day"}


@pytest.fixture
def operator(acme) -> Asking:
    """An operator who acts in Acme."""
    root = cast.person("Root", is_superuser=True, is_staff=True)
    return Asking(user=root, headers={"x-turnpike-organization": acme.organization.public_id})


PLACES = ["projects/{proj}", "keys/{key}", "members/{user}", "customers/a/b c", "models/org/sim", "each/member"]


@pytest.mark.parametrize("place", PLACES)
def test_what_was_set_is_read_replaced_as_a_whole_and_taken_away(acme, by_key, place):
    ids_of = {"proj": acme.project.public_id, "key": acme.key.public_id, "user": acme.viewer.public_id}
    path = "limits/" + place.format(**ids_of)
    set_ = by_key("PUT", path, {"limits": {"rpm": 5} | DAILY, "plan": acme.plan.public_id}).json()
    assert (set_["limits"]["rpm"], set_["plan"], set_["is_own"]) == (5, acme.plan.public_id, True)
    assert by_key.get(path) == set_
    assert by_key("PUT", path, {"limits": {"tpm": 7}}).json()["limits"]["rpm"] is None
    assert [by_key("DELETE", path).status_code for _ in range(2)] == [204, 204]
    assert by_key.get(path)["limits"] is None


def test_an_address_is_known_by_its_64(by_key):
    by_key("PUT", "limits/addresses/2001:db8::1", {"limits": {"rpm": 1}})
    assert by_key.get("limits/addresses/2001:db8::/64")["subject"] == "2001:db8::/64"


def test_limits_set_by_an_alias_are_those_of_the_model_behind_it(by_key):
    Model.objects.create(
        id="org/sim", display_name="Sim", context_length=1, max_output_tokens=1, aliases=["chat", "sim"]
    )
    world.offer("sim")
    for name, of in (("chat", "org/sim"), ("sim", "sim"), ("new", "new")):
        assert by_key("PUT", f"limits/models/{name}", {"limits": {"rpm": 1}}).json()["subject"] == of
    assert by_key.get("limits/models/org/sim")["limits"]["rpm"] == 1


def test_only_operators_set_the_limits_of_the_organization(acme, by_key, operator):
    for method, body in (("PUT", {"limits": {"rpm": 1}}), ("DELETE", None)):
        answer = by_key(method, "limits/organization", body)
        assert (answer.status_code, error(answer)["code"]) == (403, "forbidden")
    assert operator("PUT", "limits/organization", {"limits": {"rpm": 9}}).status_code == 200
    shown = by_key.get("limits/organization")
    assert (shown["subject"], shown["limits"]["rpm"]) == (acme.organization.public_id, 9)
    assert operator("DELETE", "limits/organization").status_code == 204


@pytest.mark.parametrize("place", PLACES)
def test_nothing_gets_more_than_its_organization(acme, by_key, place):
    limiting.set_limits(target=acme.organization, limits=Limits(rpm=10), actor=cast.SYSTEM)
    ids_of = {"proj": acme.project.public_id, "key": acme.key.public_id, "user": acme.viewer.public_id}
    answer = by_key("PUT", "limits/" + place.format(**ids_of), {"limits": {"rpm": 11}})
    assert (answer.status_code, error(answer)["param"]) == (403, "limits.rpm")


REFUSED = [
    ({"budget_mode": "soft"}, "limits.budget_mode"),
    (DAILY | {"budget_mode": "loud"}, "limits.budget_mode"),
    (DAILY | {"budget_window": "request", "budget_mode": "shadow"}, "limits.budget_mode"),
    (DAILY | {"budget_window": "lifetime", "budget_carries_over": True}, "limits.budget_carries_over"),
    ({"budget_carries_over": True}, "limits.budget_carries_over"),
    (DAILY | {"budget_carries_over": 1}, "limits.budget_carries_over"),
    (DAILY | {"budget_nano_usd": 2**62, "budget_carries_over": True}, "limits.budget_nano_usd"),
]


@pytest.mark.parametrize(("limits", "param"), REFUSED)
def test_a_budget_that_makes_no_sense_is_refused_by_name(by_key, limits, param):
    answer = by_key("PUT", "limits/each/customer", {"limits": limits})
    assert (answer.status_code, error(answer)["param"]) == (400, param)


@pytest.mark.parametrize("path", ["limits/members/user_nobody", "limits/each/key", "limits/keys/nonsense"])
def test_what_is_not_there_is_not_found(by_key, path):
    assert by_key("GET", path).status_code == 404


@pytest.mark.parametrize("scope", ["customers", "models", "addresses"])
def test_a_text_that_cannot_be_a_name_is_refused(by_key, scope):
    for method, body in (("GET", None), ("PUT", {"limits": {"rpm": 1}}), ("DELETE", None)):
        answer = by_key(method, f"limits/{scope}/a%00b", body)
        assert (answer.status_code, error(answer)["code"]) == (400, "invalid_request"), method


def test_a_management_key_has_no_limits(acme, by_key):
    key = keys.management_key(acme.organization).key
    assert by_key("GET", f"limits/keys/{key.public_id}").status_code == 400


def test_spending_of_the_present_window_is_shown(acme, by_key):
    by_key("PUT", f"limits/projects/{acme.project.public_id}", {"limits": DAILY})
    row = ScopeLimits.objects.get(scope="project", organization=acme.organization)
    spend(row, 300)
    hold(row, 100)
    (budget,) = by_key.get(f"limits/projects/{acme.project.public_id}")["budgets"]
    numbers = {name: budget[f"{name}_nano_usd"] for name in ("limit", "spent", "reserved", "left")}
    assert numbers == {"limit": 1000, "spent": 300, "reserved": 100, "left": 600}
    assert (budget["percent"], budget["left_usd"], budget["mode"]) == (30, "0.000000600", "hard")
    assert budget["resets_at"] > rfc3339(clock.now())


def test_a_customer_without_limits_has_those_for_each_and_spending_of_its_own(acme, by_key):
    by_key("PUT", "limits/each/customer", {"limits": DAILY | {"budget_mode": "shadow"}})
    row = ScopeLimits.objects.get(scope="customer", organization=acme.organization)
    for amount, name in ((900, "alice"), (800, "alice"), (700, "bob")):
        spend(row, amount, name)
    alice, bob, carol = (by_key.get(f"limits/customers/{name}") for name in ("alice", "bob", "carol"))
    assert {one["is_own"] for one in (alice, bob, carol)} == {False}
    assert [one["budgets"][0]["spent_nano_usd"] for one in (alice, bob, carol)] == [1700, 700, 0]
    assert [one["budgets"][0]["shadow_refused"] for one in (alice, bob, carol)] == [1, 0, 0]


def test_the_list_has_every_scope_and_filters_by_it(acme, by_key):
    for path in ("each/customer", "models/sim"):
        by_key("PUT", f"limits/{path}", {"limits": {"rpm": 1}})
    assert [one["scope"] for one in by_key.get("limits")["data"]] == ["model", "customer", "key"]
    assert [one["subject"] for one in by_key.get("limits?scope=customer")["data"]] == ["each"]


def test_marks_that_were_passed_are_listed_with_names(acme, globex, by_key):
    by_key("PUT", f"limits/projects/{acme.project.public_id}", {"limits": DAILY | {"budget_mode": "soft"}})
    spend(ScopeLimits.objects.get(scope="project", organization=acme.organization), 800)
    found = by_key.get("budget-notices")["data"]
    assert {(one["percent"], one["name"], one["mode"]) for one in found} == {
        (50, acme.project.name, "soft"),
        (80, acme.project.name, "soft"),
    }
    assert Asking(key=globex.management).get("budget-notices")["data"] == []
    assert BudgetNotice.objects.count() == 2


def ask(acme, limits, **facts):
    now = clock.now()
    asked = {"scope": "customer", "limits": limits, "since": now - timedelta(days=7), "until": now + timedelta(hours=1)}
    asked |= facts
    return asked | {name: rfc3339(asked[name]) for name in ("since", "until")}


@pytest.fixture
def traffic(acme):
    """A day ago, alice made three requests and bob one, all within a minute."""
    start = clock.now() - timedelta(days=1)
    for second, customer in enumerate(("alice", "alice", "bob", "alice")):
        records.settle(
            acme.organization, start + timedelta(seconds=second), key_id=acme.key.pk, customer=customer, cost=100
        )


def test_a_limit_is_tried_on_past_requests(acme, by_key, traffic):
    told = by_key("POST", "limits/simulate", ask(acme, {"rpm": 1})).json()
    assert (told["requests"], told["refused"], told["refused_cost_nano_usd"]) == (4, 2, 200)
    assert told["by_customer"] == [{"name": "alice", "refused": 2}]
    assert told["by_limit"] == [{"name": "rpm", "refused": 2}]
    assert told["by_key"] == [{"name": acme.key.public_id, "refused": 2}]
    assert [(one["customer"], one["limit"]) for one in told["first"]] == [("alice", "rpm")] * 2
    assert told["is_complete"] is True


WHOSE = [
    ({"scope": "customer", "subject": "bob"}, 1),
    ({"scope": "model", "subject": "sim"}, 4),
    ({"scope": "member"}, 0),
    ({"scope": "organization"}, 5),
]


@pytest.mark.parametrize(("whose", "requests"), WHOSE)
def test_it_is_tried_on_the_requests_of_that_scope(acme, by_key, traffic, whose, requests):
    told = by_key("POST", "limits/simulate", ask(acme, {"concurrency": 9}, **whose)).json()
    # One more than the traffic is Acme's from the start, of the same model.
    assert told["requests"] == requests + (whose.get("scope") == "model")


def test_it_is_tried_on_a_key_and_those_it_was_rotated_to(acme, by_key, traffic):
    whose = {"scope": "key", "subject": acme.key.public_id}
    assert by_key("POST", "limits/simulate", ask(acme, {"rpm": 2}, **whose)).json()["refused"] == 2


def test_a_stranger_is_not_found_by_it_either(globex, by_key, acme):
    whose = {"scope": "key", "subject": globex.key.public_id}
    assert by_key("POST", "limits/simulate", ask(acme, {"rpm": 2}, **whose)).status_code == 404


@pytest.mark.parametrize(
    ("facts", "param"),
    [
        ({"scope": "address"}, "scope"),
        ({"until": clock.now() + timedelta(days=30)}, "since"),
        ({"limits": {"rpm": -1}}, "limits.rpm"),
    ],
)
def test_what_cannot_be_tried_is_refused_by_name(acme, by_key, facts, param):
    limits = facts.pop("limits", {"rpm": 1})
    answer = by_key("POST", "limits/simulate", ask(acme, limits, **facts))
    assert (answer.status_code, error(answer)["param"]) == (400, param)


def test_ids_of_rows_are_public(acme, by_key):
    (row,) = by_key.get("limits")["data"]
    assert ids.parse("lim", row["id"])
