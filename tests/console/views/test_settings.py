"""The settings of an organisation: who sees them, who changes them, and what is refused."""

import pytest

from tenants.models import AuditEvent, Role
from tests.console.cast import visitor
from tests.console.views.test_keys import text
from tests.tenants import cast

SETTINGS = "/app/acme/settings/"


def wish(**fields) -> dict:
    return {"name": "Acme", "time_zone": "UTC", "allowed_origins": "", **fields}


def test_origins_name_and_time_zone_are_changed_and_shown(acme, owner, ada):
    fields = wish(
        name="Acme Inc", time_zone="Asia/Tokyo", allowed_origins="https://b.test\r\n\r\nhttp://localhost:5173\r\n"
    )
    assert "The settings are saved." in text(ada.post(SETTINGS, fields, follow=True))
    acme.refresh_from_db()
    assert (acme.name, acme.time_zone) == ("Acme Inc", "Asia/Tokyo")
    assert acme.allowed_origins == ["http://localhost:5173", "https://b.test"]
    assert "http://localhost:5173\nhttps://b.test" in ada.get(SETTINGS).content.decode()
    (event,) = AuditEvent.objects.filter(action="organization.origins_changed")
    assert event.actor_label == owner.email


def test_saving_what_is_there_changes_nothing(acme, ada):
    before = AuditEvent.objects.count()
    ada.post(SETTINGS, wish())
    acme.refresh_from_db()
    assert (AuditEvent.objects.count(), acme.config_version) == (before, acme.config_version)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"allowed_origins": "https://a.test/page"}, "An origin is a scheme and a host"),
        ({"allowed_origins": "a.test"}, "An origin is a scheme and a host"),
        ({"name": ""}, "This field is required"),
        ({"time_zone": "Mars/Olympus"}, "Select a valid choice"),
    ],
)
def test_a_mistake_is_told_at_its_field_and_nothing_is_changed(acme, ada, fields, problem):
    answer = ada.post(SETTINGS, wish(name="Other") | fields)
    assert answer.status_code == 422
    assert problem in text(answer)
    assert "Of Acme, for all of its members." in text(answer)
    acme.refresh_from_db()
    assert (acme.name, acme.time_zone, acme.allowed_origins) == ("Acme", "UTC", [])


@pytest.mark.parametrize("role", Role)
def test_everybody_sees_them_and_owners_and_admins_change_them(acme, role):
    someone = visitor(cast.member(acme, role))
    may = role in {Role.OWNER, Role.ADMIN}
    page = text(someone.get(SETTINGS))
    assert acme.public_id in page
    assert ("Save settings" in page) is may
    assert ("Your role may see these, but not change them." in page) is not may
    assert someone.post(SETTINGS, wish(name="Other")).status_code == (302 if may else 403)
    acme.refresh_from_db()
    assert acme.name == ("Other" if may else "Acme")


def test_the_settings_of_somebody_else_are_not_there(ada, globex):
    for answer in (ada.get("/app/globex/settings/"), ada.post("/app/globex/settings/", wish(name="Mine"))):
        assert answer.status_code == 404
    globex.refresh_from_db()
    assert globex.name == "Globex"
