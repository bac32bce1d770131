"""The pages of keys."""

import html
import re
from datetime import timedelta

import pytest

from foundation import clock
from keys import issuing, limiting
from keys.effective import Limits
from keys.formats import looks_valid
from keys.models import ApiKey, ScopeLimits
from tenants import projects
from tenants.models import AuditEvent, Role
from tests.console.cast import bill, offer, settle, visitor
from tests.keys.cast import inference_key, management_key
from tests.tenants import cast

SECRET = re.compile(r"tpk_live_[0-9A-Za-z]{36}")
NEW = "/app/acme/keys/new/"


def wish(acme, **fields) -> dict:
    """Return the form of a new key as a browser sends it."""
    return {"name": "Web", "project": str(cast.project(acme).pk), "lifetime": "never", **fields}


def text(answer) -> str:
    """Return a page's words, each run of blanks as one."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())))


def test_keys_are_listed_by_name_and_never_whole(acme, ada):
    issued = inference_key(acme, name="Search")
    page = ada.get("/app/acme/keys/").content.decode()
    assert "Search" in page
    assert issued.key.display in page
    assert issued.secret not in page


def test_the_list_shows_no_key_of_somebody_else(ada, globex):
    inference_key(globex, name="Theirs")
    assert "Theirs" not in text(ada.get("/app/acme/keys/"))


def test_keys_that_ended_stand_apart(acme, ada, key):
    issuing.revoke(key=key, reason="", actor=cast.SYSTEM)
    page = text(ada.get("/app/acme/keys/"))
    assert "No API keys" in page
    assert "1 revoked or expired" in page


def test_an_empty_list_says_what_to_do(ada, viewer):
    assert "Create the first key" in text(ada.get("/app/acme/keys/"))
    page = text(viewer.get("/app/acme/keys/"))
    assert "Create the first key" not in page
    assert "Your role may see keys but not make any" in page


def test_a_new_key_shows_its_secret_once_and_then_never_again(acme, ada):
    offer("tiny")
    answer = ada.post(NEW, wish(acme))
    (secret,) = set(SECRET.findall(answer.content.decode()))
    assert looks_valid(secret)
    key = ApiKey.objects.get(name="Web")
    for page in ("/app/acme/", "/app/acme/keys/", f"/app/acme/keys/{key.public_id}/"):
        assert not SECRET.search(ada.get(page).content.decode())


def test_a_new_key_names_who_made_it(acme, owner, ada):
    ada.post(NEW, wish(acme))
    assert ApiKey.objects.get(name="Web").created_by == owner
    assert AuditEvent.objects.get(action="key.issued").actor_label == owner.email


def test_a_new_key_has_the_limits_that_were_asked_for(acme, ada):
    offer("tiny")
    ada.post(NEW, wish(acme, rpm="60", tpm="9000", budget="12.5", budget_window="week", allowed_models=["tiny"]))
    limits = limiting.of(ScopeLimits.objects.get(scope="key"))
    assert limits == Limits(
        rpm=60,
        tpm=9000,
        budget_nusd=12_500_000_000,
        budget_window="week",
        allowed_models=frozenset({"tiny"}),
    )


def test_a_new_key_without_wishes_has_no_limits_of_its_own(acme, ada):
    ada.post(NEW, wish(acme))
    assert not ScopeLimits.objects.exists()


def test_a_new_key_ends_when_it_was_asked_to(acme, ada):
    ada.post(NEW, wish(acme, lifetime="30"))
    ends_at = ApiKey.objects.get(name="Web").expires_at
    assert ends_at is not None
    assert timedelta(days=29, hours=23) < ends_at - clock.now() <= timedelta(days=30)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"name": ""}, "This field is required"),
        ({"name": "\x07"}, "printable characters"),
        ({"lifetime": "date"}, "Choose the last day"),
        ({"lifetime": "date", "expires_on": "2001-01-01"}, "expired already"),
        ({"rpm": "-1"}, "greater than or equal to 0"),
        ({"budget": "0.0000000001"}, "decimal places"),
        ({"allowed_models": ["gpt-9"]}, "not one of the available choices"),
        ({"project": "01a1fd8d-4dc3-7cf4-a691-737632b70227"}, "Select a valid choice"),
    ],
)
def test_a_form_with_a_mistake_comes_back_with_what_is_wrong(acme, ada, fields, problem):
    answer = ada.post(NEW, wish(acme, **fields))
    assert answer.status_code == 422
    assert problem in text(answer)
    assert not ApiKey.objects.exists()


def test_a_limit_above_that_of_the_organization_is_refused_at_its_field(acme, ada):
    limiting.set_limits(target=acme, limits=Limits(rpm=10), actor=cast.SYSTEM)
    answer = ada.post(NEW, wish(acme, rpm="11"))
    assert answer.status_code == 422
    assert "wider than the one above it" in text(answer)
    assert "<details" in answer.content.decode()
    assert not ApiKey.objects.exists()


def test_only_own_and_living_projects_are_offered(acme, ada, globex):
    old = projects.create(organization=acme, name="Old", slug="old", actor=cast.SYSTEM)
    projects.archive(project=old, actor=cast.SYSTEM)
    page = ada.get(NEW).content.decode()
    assert str(cast.project(acme).pk) in page
    assert str(old.pk) not in page
    assert str(cast.project(globex).pk) not in page


def test_a_key_in_a_project_of_somebody_else_is_refused(ada, acme, globex):
    answer = ada.post(NEW, wish(acme, project=str(cast.project(globex).pk)))
    assert answer.status_code == 422
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize("role", [Role.VIEWER, Role.BILLING])
def test_nobody_without_the_right_can_make_rotate_or_revoke_keys(acme, key, role):
    someone = visitor(cast.member(acme, role))
    assert someone.post(NEW, wish(acme)).status_code == 403
    for action in ("rotate", "revoke"):
        assert someone.post(f"/app/acme/keys/{key.public_id}/{action}/", {"overlap": "0"}).status_code == 403
    key.refresh_from_db()
    assert key.revoked_at is None
    assert ApiKey.objects.count() == 1


def test_a_viewer_sees_no_buttons(viewer, key):
    assert "New API key" not in text(viewer.get("/app/acme/keys/"))
    page = text(viewer.get(f"/app/acme/keys/{key.public_id}/"))
    assert "Rotate" not in page
    assert "Revoke" not in page


def test_the_page_of_a_key_shows_facts_limits_and_use(acme, ada, key):
    limiting.set_limits(
        target=key, limits=Limits(rpm=600, budget_nusd=5 * 10**9, budget_window="day"), actor=cast.SYSTEM
    )
    settle(bill(key, prompt_tokens=777))
    page = text(ada.get(f"/app/acme/keys/{key.public_id}/"))
    assert key.public_id in page
    assert "Requests per minute 600" in page
    assert "Budget $5.00 per day" in page
    assert "777" in page


def test_a_management_key_says_what_it_opens(acme, ada):
    key = management_key(acme, "usage.read").key
    assert "The management API, for usage.read" in text(ada.get(f"/app/acme/keys/{key.public_id}/"))


def test_rotating_shows_a_new_secret_and_when_the_old_one_ends(ada, key):
    answer = ada.post(f"/app/acme/keys/{key.public_id}/rotate/", {"overlap": "3600"})
    assert len(set(SECRET.findall(answer.content.decode()))) == 1
    key.refresh_from_db()
    assert key.replaced_by is not None
    assert "The old key works until" in text(answer)


def test_a_key_is_rotated_once(ada, key):
    ada.post(f"/app/acme/keys/{key.public_id}/rotate/", {"overlap": "3600"})
    answer = ada.post(f"/app/acme/keys/{key.public_id}/rotate/", {"overlap": "3600"}, follow=True)
    assert "This API key was rotated already" in text(answer)
    assert ApiKey.objects.count() == 2


@pytest.mark.parametrize("overlap", ["", "-1", "99999999", "soon"])
def test_an_overlap_that_is_not_offered_rotates_nothing(ada, key, overlap):
    answer = ada.post(f"/app/acme/keys/{key.public_id}/rotate/", {"overlap": overlap})
    assert answer.status_code == 302
    assert ApiKey.objects.count() == 1


def test_revoking_takes_a_reason_along_and_says_that_it_is_done(owner, ada, key):
    answer = ada.post(f"/app/acme/keys/{key.public_id}/revoke/", {"reason": "Leaked"}, follow=True)
    key.refresh_from_db()
    assert key.revoked_at is not None
    assert key.revoked_reason == "Leaked"
    assert "“Search” is revoked" in text(answer)
    assert AuditEvent.objects.get(action="key.revoked").actor_label == owner.email


def test_revoking_twice_says_that_it_was_done_before(ada, key):
    issuing.revoke(key=key, reason="", actor=cast.SYSTEM)
    answer = ada.post(f"/app/acme/keys/{key.public_id}/revoke/", {"reason": ""}, follow=True)
    assert "revoked already" in text(answer)


@pytest.mark.parametrize("action", ["rotate", "revoke"])
def test_a_link_alone_changes_nothing(ada, key, action):
    assert ada.get(f"/app/acme/keys/{key.public_id}/{action}/").status_code == 405


def test_a_form_without_the_csrf_token_is_refused(owner, acme):
    careful = visitor(owner).__class__(enforce_csrf_checks=True)
    careful.force_login(owner)
    answer = careful.post(NEW, wish(acme))
    assert answer.status_code == 403
    assert "This form is out of date" in text(answer)
