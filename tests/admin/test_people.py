"""The pages of users, members and projects."""

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import Permission

from tenants.models import AuditEvent, Membership, Project, Role, User
from tests.admin.cast import address, text
from tests.console.cast import PASSWORD, visitor
from tests.tenants import cast


def test_a_user_is_added_with_a_password_that_is_written_nowhere(olu, operator):
    form = {"email": "Nia@Example.com", "name": "Nia", "password1": PASSWORD, "password2": PASSWORD}
    assert olu.post(address(User, "add"), form).status_code == 302
    made = User.objects.get(email="nia@example.com")
    assert made.check_password(PASSWORD)
    event = AuditEvent.objects.get(action="user.created")
    assert event.actor_label == operator.email
    assert PASSWORD not in str(event.facts)


def test_an_address_is_one_person_s_in_any_case(olu):
    cast.person("Nia")
    form = {"email": "NIA@example.com", "name": "", "password1": PASSWORD, "password2": PASSWORD}
    answer = olu.post(address(User, "add"), form)
    assert answer.status_code == 200
    assert User.objects.filter(email__iexact="nia@example.com").count() == 1


def test_an_address_that_was_taken_away_opens_the_account_no_more(olu):
    nia = cast.person("Nia", password=PASSWORD)
    EmailAddress.objects.create(user=nia, email="nia@example.com", primary=True, verified=True)
    form = {"email": "new@example.com", "name": "Nia", "is_active": "on"}
    assert olu.post(address(User, "change", nia.pk), form).status_code == 302
    for email, opens in (("nia@example.com", False), ("new@example.com", True)):
        answer = visitor().post("/accounts/login/", {"login": email, "password": PASSWORD})
        assert (answer.status_code == 302) is opens


def test_nobody_is_deleted(olu):
    nia = cast.person("Nia")
    assert olu.post(address(User, "delete", nia.pk), {"post": "yes"}).status_code == 403


@pytest.fixture
def helper(db):
    """Staff who may change users, but are no superuser."""
    someone = cast.person("Helper", is_staff=True)
    someone.user_permissions.set(Permission.objects.filter(codename__in=["change_user", "view_user"]))
    return visitor(someone)


def test_staff_cannot_make_themselves_superusers(helper):
    me = User.objects.get(name="Helper")
    form = {"email": me.email, "name": "Helper 2", "is_active": "on", "is_staff": "on", "is_superuser": "on"}
    assert helper.post(address(User, "change", me.pk), form).status_code == 302
    me.refresh_from_db()
    assert (me.name, me.is_superuser) == ("Helper 2", False)


def test_staff_cannot_take_over_a_superuser(helper, operator):
    form = {"email": "evil@example.com", "name": "", "is_active": "on"}
    assert helper.post(address(User, "change", operator.pk), form).status_code == 403
    password = {"password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"}
    assert helper.post(f"/admin/tenants/user/{operator.pk}/password/", password).status_code == 403
    operator.refresh_from_db()
    assert not operator.has_usable_password()


def test_somebody_is_let_into_an_organization(olu, operator, acme):
    nia = cast.person("Nia")
    form = {"organization": str(acme.pk), "email": "NIA@example.com", "role": "admin"}
    assert olu.post(address(Membership, "add"), form).status_code == 302
    assert Membership.objects.get(user=nia).role == Role.ADMIN
    assert AuditEvent.objects.get(action="member.added").actor_label == operator.email
    assert "is a member already" in text(olu.post(address(Membership, "add"), form))


def test_nobody_is_let_in_who_has_no_account(olu, acme):
    form = {"organization": str(acme.pk), "email": "nemo@example.com", "role": "admin"}
    assert "There is no account with this address" in text(olu.post(address(Membership, "add"), form))


def test_a_role_is_changed_and_a_member_removed(olu, acme):
    cast.member(acme, Role.OWNER)
    membership = Membership.objects.get(user=cast.member(acme, Role.VIEWER))
    olu.post(address(Membership, "change_role", membership.pk), {"role": "billing"})
    membership.refresh_from_db()
    assert membership.role == Role.BILLING
    gone = olu.post(address(Membership, "remove", membership.pk), {})
    assert gone.headers["location"] == address(Membership, "changelist")
    assert Membership.objects.count() == 1


def test_the_last_owner_stays(olu, acme):
    membership = Membership.objects.get(user=cast.member(acme, Role.OWNER))
    answer = olu.post(address(Membership, "remove", membership.pk), {})
    assert answer.status_code == 422
    assert "at least one owner" in text(answer)
    assert Membership.objects.count() == 1


def test_a_project_is_added_renamed_and_archived(olu, acme):
    form = {"organization": str(acme.pk), "name": "Desk", "slug": "desk"}
    assert olu.post(address(Project, "add"), form).status_code == 302
    desk = Project.objects.get(slug="desk")
    olu.post(address(Project, "rename", desk.pk), {"name": "Help desk"})
    olu.post(address(Project, "archive", desk.pk), {})
    desk.refresh_from_db()
    assert desk.name == "Help desk"
    assert desk.archived_at is not None
    actions = set(AuditEvent.objects.filter(target_id=desk.public_id).values_list("action", flat=True))
    assert actions == {"project.created", "project.renamed", "project.archived"}
