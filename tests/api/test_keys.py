"""Keys: their secret once, their limits, their end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from foundation import clock, ids
from keys import authenticating, limiting
from keys.effective import Limits
from keys.errors import KeyRevoked
from keys.models import ApiKey
from tenants.models import AuditEvent
from tests.api.world import Asking, Tenant, error, rfc3339
from tests.keys import cast as keys
from tests.tenants import cast


def new(of: Tenant, **facts):
    """Return the body of a new inference key."""
    return {"name": "New", "project": of.project.public_id, **facts}


def test_a_key_is_made_with_all_that_it_may_have(acme, by_key):
    expires_at = clock.now().replace(microsecond=0) + timedelta(days=30)
    limits = {"rpm": 0, "allowed_models": ["sim"], "budget_nano_usd": 5_000_000_000, "budget_window": "month"}
    body = new(acme, mode="test", expires_at=rfc3339(expires_at), metadata={"team": "search"}, limits=limits)
    answer = by_key("POST", "keys", body | {"plan": acme.plan.public_id})
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert made["secret"].startswith("tpk_test_")
    assert authenticating.authenticate(made["secret"], ApiKey.Kind.INFERENCE).public_id == made["id"]
    assert (made["project"], made["plan"]) == (acme.project.public_id, acme.plan.public_id)
    assert (made["metadata"], made["expires_at"], made["status"]) == ({"team": "search"}, rfc3339(expires_at), "active")
    assert made["limits"]["rpm"] == 0
    assert made["limits"]["tpm"] is None
    assert (made["limits"]["budget_usd"], made["limits"]["budget_window"]) == ("5.000000000", "month")


def test_a_secret_is_in_no_later_answer(acme, by_key):
    made = by_key("POST", "keys", new(acme)).json()
    for path in ("keys", f"keys/{made['id']}"):
        shown = by_key("GET", path).content.decode()
        assert made["display"] in shown
        assert made["secret"] not in shown
        assert '"secret"' not in shown


def test_what_a_person_makes_bears_their_name(acme):
    made = Asking(user=acme.owner)("POST", "keys", new(acme)).json()
    assert made["created_by"] == acme.owner.public_id
    assert AuditEvent.objects.get(action="key.issued", target_id=made["id"]).actor_label == acme.owner.email


def test_a_management_key_has_scopes_and_no_project(acme, by_key):
    body = {"name": "CI", "kind": "management", "scopes": ["usage.read", "keys.read"]}
    made = by_key("POST", "keys", body).json()
    assert (made["kind"], made["project"], made["scopes"]) == ("management", None, ["keys.read", "usage.read"])
    assert Asking(key=made["secret"]).get("usage")["data"]
    assert Asking(key=made["secret"])("GET", "wallet").status_code == 403


@pytest.mark.parametrize("facts", [{"scopes": []}, {"scopes": ["world.rule"]}, {"limits": {"rpm": 1}}])
def test_a_management_key_makes_sense(by_key, facts):
    body = {"name": "CI", "kind": "management", "scopes": ["keys.read"], **facts}
    assert by_key("POST", "keys", body).status_code == 400


def test_nobody_makes_a_key_that_may_more_than_themselves(acme):
    weak = Asking(key=keys.management_key(acme.organization, "keys.manage", "keys.read").secret)
    answer = weak("POST", "keys", {"name": "Up", "kind": "management", "scopes": ["billing.manage"]})
    assert (answer.status_code, error(answer)["code"]) == (403, "forbidden")
    assert weak("POST", "keys", {"name": "Level", "kind": "management", "scopes": ["keys.read"]}).status_code == 201


def test_limits_are_no_wider_than_those_above(acme, by_key):
    limiting.set_limits(target=acme.project, limits=Limits(rpm=10), actor=cast.SYSTEM)
    answer = by_key("POST", "keys", new(acme, limits={"rpm": 11}))
    assert (answer.status_code, error(answer)["code"]) == (403, "forbidden")
    assert error(answer)["param"] == "limits.rpm"
    assert by_key("POST", "keys", new(acme, limits={"rpm": 10})).status_code == 201
    answer = by_key("PATCH", f"keys/{acme.key.public_id}", {"limits": {"rpm": 11}})
    assert (answer.status_code, error(answer)["param"]) == (403, "limits.rpm")


@pytest.mark.parametrize("field", ["project", "plan"])
def test_a_strangers_object_in_a_body_is_as_unknown_as_one_that_never_was(field, acme, globex):
    theirs = {"project": acme.project.public_id, "plan": acme.plan.public_id}[field]
    never = ids.public(theirs.partition("_")[0], ids.uuid7())
    who = Asking(key=globex.management)
    named: list[Any] = [theirs, never, "nonsense", 7, {}]
    answers = [who("POST", "keys", new(globex, **{field: value})) for value in named]
    assert {(answer.status_code, answer.content) for answer in answers} == {(404, answers[0].content)}
    assert error(answers[0])["param"] == field


def test_lists_are_filtered(acme, by_key):
    def ids_of(query: str) -> set[str]:
        return {row["id"] for row in by_key.get(f"keys?{query}")["data"]}

    ended = keys.inference_key(acme.organization).key
    ApiKey.objects.filter(pk=ended.pk).update(expires_at=clock.now() - timedelta(seconds=1))
    other = by_key("POST", "projects", {"name": "Search", "slug": "search"}).json()["id"]
    revoked = by_key("POST", "keys", new(acme, project=other)).json()["id"]
    by_key("POST", f"keys/{revoked}/revoke")
    assert ids_of("status=expired") == {ended.public_id}
    assert ids_of("status=revoked") == {revoked}
    assert ids_of("status=active&kind=inference") == {acme.key.public_id}
    assert ids_of(f"project={other}") == {revoked}
    assert len(ids_of("kind=management")) == 1


def test_a_key_is_changed_in_what_is_named_only(acme, by_key):
    path = f"keys/{acme.key.public_id}"
    by_key("PATCH", path, {"metadata": {"a": "b"}})
    changed = by_key("PATCH", path, {"name": "Web 2"}).json()
    assert (changed["name"], changed["metadata"], changed["limits"]["rpm"]) == ("Web 2", {"a": "b"}, 60)
    changed = by_key("PATCH", path, {"plan": acme.plan.public_id}).json()
    assert (changed["plan"], changed["limits"]["rpm"]) == (acme.plan.public_id, 60)
    changed = by_key("PATCH", path, {"limits": {"tpm": 5}}).json()
    assert (changed["plan"], changed["limits"]["rpm"], changed["limits"]["tpm"]) == (acme.plan.public_id, None, 5)
    changed = by_key("PATCH", path, {"plan": None, "limits": None}).json()
    assert (changed["plan"], changed["limits"]["tpm"]) == (None, None)
    assert by_key.get(path) == changed


def test_a_management_key_cannot_be_limited(acme, by_key):
    key = keys.management_key(acme.organization).key
    answer = by_key("PATCH", f"keys/{key.public_id}", {"limits": {"rpm": 1}})
    assert (answer.status_code, error(answer)["param"]) == (400, "limits")


def test_a_rotated_key_hands_over(acme, by_key):
    before = clock.now()
    made = by_key("POST", f"keys/{acme.key.public_id}/rotate", {"overlap_seconds": 600}).json()
    assert made["replaces"] == acme.key.public_id
    assert made["limits"]["rpm"] == 60
    assert authenticating.authenticate(made["secret"], ApiKey.Kind.INFERENCE)
    assert authenticating.authenticate(acme.secret, ApiKey.Kind.INFERENCE)
    old = by_key.get(f"keys/{acme.key.public_id}")
    assert old["replaced_by"] == made["id"]
    assert (
        rfc3339(before + timedelta(seconds=600)) <= old["expires_at"] <= rfc3339(clock.now() + timedelta(seconds=600))
    )
    answer = by_key("POST", f"keys/{acme.key.public_id}/rotate")
    assert (answer.status_code, error(answer)["code"]) == (409, "key_already_replaced")


def test_a_revoked_key_is_useless(acme, by_key):
    shown = by_key("POST", f"keys/{acme.key.public_id}/revoke", {"reason": "leaked"}).json()
    assert (shown["status"], shown["revoked_reason"]) == ("revoked", "leaked")
    with pytest.raises(KeyRevoked):
        authenticating.authenticate(acme.secret, ApiKey.Kind.INFERENCE)
    answer = by_key("POST", f"keys/{acme.key.public_id}/revoke")
    assert (answer.status_code, error(answer)["code"]) == (409, "key_already_revoked")


def test_a_key_that_revoked_itself_is_out(acme, by_key):
    [own] = by_key.get("keys?kind=management")["data"]
    assert by_key("POST", f"keys/{own['id']}/revoke").status_code == 200
    assert error(by_key("GET", "keys"))["code"] == "key_revoked"
