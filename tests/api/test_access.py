"""Who may ask for what: every operation × owner, viewer, stranger, nobody, and the wrong kind of key."""

from __future__ import annotations

import pytest

from config.api import document
from foundation import ids
from tenants import organizations, roles
from tenants.models import Role
from tenants.roles import Right
from tests.api import world
from tests.api.operations import OF_ONE_OBJECT, OF_OPERATORS, OPERATIONS, READS, WITH_RIGHT, Operation
from tests.api.world import Asking, error
from tests.keys import cast as keys
from tests.tenants import cast

each = pytest.mark.parametrize("operation", OPERATIONS, ids=str)


def ask(who: Asking, operation: Operation, of: world.Tenant):
    """Ask for the operation on this tenant's objects."""
    return who(operation.method, operation.path(of), operation.body(of) if operation.body else None)


def test_these_are_all_operations_that_there_are():
    documented = {operation["operationId"] for path in document()["paths"].values() for operation in path.values()}
    assert {operation.id for operation in OPERATIONS} | OF_OPERATORS == documented


@each
def test_a_key_with_every_scope_may(operation, acme):
    world.offer()
    answer = ask(Asking(key=acme.management), operation, acme)
    assert answer.status_code == operation.status, answer.content


@each
def test_an_owner_may(operation, acme):
    world.offer()
    answer = ask(Asking(user=acme.owner), operation, acme)
    assert answer.status_code == operation.status, answer.content


@each
def test_a_viewer_may_what_the_role_includes(operation, acme):
    world.offer()
    answer = ask(Asking(user=acme.viewer), operation, acme)
    may = operation.right is None or roles.allows(Role.VIEWER, operation.right)
    assert answer.status_code == (operation.status if may else 403)
    assert may or error(answer)["code"] == "forbidden"


@pytest.mark.parametrize("operation", WITH_RIGHT, ids=str)
def test_a_key_without_the_scope_may_not(operation, acme):
    others = [right for right in Right if right is not operation.right]
    weak = keys.management_key(acme.organization, *others)
    answer = ask(Asking(key=weak.secret), operation, acme)
    assert answer.status_code == 403
    assert operation.right in error(answer)["message"]


@pytest.mark.parametrize("operation", WITH_RIGHT, ids=str)
def test_a_key_with_just_the_scope_may(operation, acme):
    narrow = keys.management_key(acme.organization, operation.right)
    assert ask(Asking(key=narrow.secret), operation, acme).status_code == operation.status


@each
def test_nobody_may_without_a_credential(operation, acme):
    answer = ask(Asking(), operation, acme)
    assert (answer.status_code, error(answer)["code"]) == (401, "invalid_api_key")
    assert answer["www-authenticate"].startswith("Bearer")


@each
def test_a_key_for_inference_opens_nothing_here(operation, acme):
    answer = ask(Asking(key=acme.secret), operation, acme)
    assert (answer.status_code, error(answer)["code"]) == (401, "invalid_api_key")
    assert "management key" in error(answer)["message"]


@pytest.mark.parametrize("operation", OF_ONE_OBJECT, ids=str)
@pytest.mark.parametrize("by", ["key", "owner"])
def test_a_strangers_object_is_as_unknown_as_one_that_never_was(operation, by, acme, globex):
    who = Asking(key=globex.management) if by == "key" else Asking(user=globex.owner)
    known = operation.path(acme)
    theirs = next(part for part in known.split("/") if part.startswith(f"{operation.names}_"))
    body = operation.body(acme) if operation.body else None
    never_was = ids.public(operation.names, ids.uuid7())
    paths = [known.replace(theirs, other) for other in (theirs, never_was, "nonsense", theirs.upper(), f"{theirs}x")]
    answers = [who(operation.method, path, body) for path in paths]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert len({_headers(answer) for answer in answers}) == 1


@pytest.mark.parametrize("operation", READS, ids=str)
@pytest.mark.parametrize("by", ["key", "owner", "viewer"])
def test_globex_never_sees_acme(operation, by, acme, globex):
    world.offer()
    who = Asking(key=globex.management) if by == "key" else Asking(user=getattr(globex, by))
    seen = ask(who, operation, globex).content.decode()
    assert not [name for name in acme.names if name in seen]


@pytest.mark.parametrize("operation", WITH_RIGHT, ids=str)
def test_nobody_acts_in_an_organization_by_naming_it(operation, acme, globex):
    for who in (Asking(key=globex.management), Asking(user=globex.owner)):
        who.headers["x-turnpike-organization"] = acme.organization.public_id
        answer = ask(who, operation, acme)
        if "organizations" not in operation.id:
            assert (answer.status_code, error(answer)["code"]) == (404, "not_found")
        assert not [name for name in acme.names if name in answer.content.decode()]


def test_a_person_of_two_organizations_says_which(acme, globex):
    cast.members.add(organization=globex.organization, user=acme.viewer, role=Role.VIEWER, actor=cast.SYSTEM)
    answer = Asking(user=acme.viewer)("GET", "keys")
    assert (answer.status_code, error(answer)["param"]) == (400, "x-turnpike-organization")
    who = Asking(user=acme.viewer, headers={"x-turnpike-organization": globex.organization.public_id})
    assert [key["name"] for key in who.get("keys?kind=inference")["data"]] == ["Globex web"]


def test_a_person_of_no_organization_is_told_so(acme):
    answer = Asking(user=cast.person("Nomad"))("GET", "keys")
    assert (answer.status_code, error(answer)["message"]) == (403, "You belong to no organization.")


def test_the_key_counts_where_there_is_a_session_too(acme, globex):
    [organization] = Asking(key=acme.management, user=globex.owner).get("organizations")["data"]
    assert organization["id"] == acme.organization.public_id


def test_a_suspended_organization_is_told_so(acme):
    organizations.suspend(organization=acme.organization, reason="unpaid", actor=cast.SYSTEM)
    assert error(Asking(key=acme.management)("GET", "keys"))["code"] == "organization_suspended"


def test_the_key_may_be_in_the_other_headers(acme):
    for name in ("x-api-key", "api-key"):
        assert Asking(headers={name: acme.management}).get("wallet")
    answer = Asking(key=acme.management, headers={"x-api-key": acme.management})("GET", "wallet")
    assert (answer.status_code, error(answer)["code"]) == (400, "invalid_request")


def test_no_cache_keeps_what_a_tenant_was_told(acme):
    for who in (Asking(key=acme.management), Asking()):
        assert who("GET", "keys")["cache-control"] == "no-store"


def test_the_use_of_a_key_is_noted(acme):
    weak = keys.management_key(acme.organization, "keys.read")
    Asking(key=weak.secret).get("keys")
    weak.key.refresh_from_db()
    assert weak.key.last_used_at is not None


def _headers(answer) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, value) for name, value in answer.headers.items() if name != "x-request-id"))
