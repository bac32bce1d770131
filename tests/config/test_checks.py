import asyncio
import subprocess
import sys

import pytest
from django.core import checks as django_checks
from django.core.exceptions import ImproperlyConfigured

from config import checks
from tests.config.web_servers import ROOT

SECRET = "s" * 64
GOOD = {
    "PRODUCTION": True,
    "DEBUG": False,
    "SECRET_KEY": SECRET,
    "KEY_PEPPER": "p" * 64,
    "METRICS_TOKEN": "m" * 32,
    "CREDENTIAL_KEYS": ["c" * 32, "d" * 32],
    "RECEIPT_SIGNING_KEY": "r" * 32,
    "MAIL_HOST": "mail.example.com",
    "ALLOWED_HOSTS": ["ai.example.com"],
}


@pytest.fixture
def production(settings):
    """A production installation without a fault; call it with what is wrong with it."""

    def configure(**faults: object) -> list[str | None]:
        for name, value in (GOOD | faults).items():
            setattr(settings, name, value)
        return [message.id for message in django_checks.run_checks(tags=[checks.TAG])]

    return configure


def test_a_good_production_installation_passes(production):
    assert production() == []


@pytest.mark.parametrize(
    ("faults", "code"),
    [
        ({"DEBUG": True}, "turnpike.E001"),
        ({"SECRET_KEY": "short"}, "turnpike.E002"),
        ({"SECRET_KEY": "insecure-development-only-" + SECRET}, "turnpike.E002"),
        ({"KEY_PEPPER": ""}, "turnpike.E003"),
        ({"KEY_PEPPER": "p" * 31}, "turnpike.E003"),
        ({"KEY_PEPPER": "insecure-development-only-key-pepper"}, "turnpike.E003"),
        ({"KEY_PEPPER": SECRET}, "turnpike.E003"),
        ({"ALLOWED_HOSTS": []}, "turnpike.E004"),
        ({"ALLOWED_HOSTS": ["ai.example.com", "*"]}, "turnpike.E004"),
        ({"CREDENTIAL_KEYS": []}, "turnpike.E007"),
        ({"CREDENTIAL_KEYS": ["c" * 32, "d" * 31]}, "turnpike.E007"),
        ({"CREDENTIAL_KEYS": ["insecure-development-only-credential-key"]}, "turnpike.E007"),
        ({"CREDENTIAL_KEYS": [SECRET]}, "turnpike.E007"),
        ({"RECEIPT_SIGNING_KEY": "r" * 31}, "turnpike.E008"),
        ({"RECEIPT_SIGNING_KEY": "insecure-development-only-receipt-signing-key"}, "turnpike.E008"),
        ({"RECEIPT_SIGNING_KEY": "c" * 32}, "turnpike.E008"),
        ({"TRUST_FORWARDED_PROTO": True}, "turnpike.E009"),
        ({"METRICS_TOKEN": ""}, "turnpike.W001"),
        ({"METRICS_TOKEN": "short"}, "turnpike.W001"),
        ({"MAIL_HOST": ""}, "turnpike.W003"),
    ],
)
def test_a_fault_of_production_has_an_id_and_a_hint(production, faults, code):
    assert production(**faults) == [code]
    assert all(message.hint for message in django_checks.run_checks(tags=[checks.TAG]))


def test_no_message_repeats_a_secret(production):
    production(SECRET_KEY="hunter2", KEY_PEPPER="hunter3")
    text = " ".join(f"{message.msg} {message.hint}" for message in django_checks.run_checks(tags=[checks.TAG]))
    assert "hunter" not in text


def test_a_laptop_may_be_careless(production):
    assert production(PRODUCTION=False, DEBUG=True, SECRET_KEY="x", KEY_PEPPER="", ALLOWED_HOSTS=["*"]) == []


def test_the_application_role_passes(db):
    assert checks.role_is_below_row_security(databases=["default"]) == []


async def test_a_process_that_serves_refuses_every_error_at_once(db, production):
    production(DEBUG=True, KEY_PEPPER="")
    with pytest.raises(ImproperlyConfigured, match=r"E001.*E003"):
        await asyncio.to_thread(checks.refuse_misconfiguration)


async def test_a_process_that_serves_takes_a_good_installation(db, production):
    production()
    await asyncio.to_thread(checks.refuse_misconfiguration)


def deploy_check(**env: str) -> str:
    command = [sys.executable, "manage.py", "check", "--deploy", "--database", "default", "--tag", checks.TAG]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.fixture
def owned(fresh_database, tmp_path) -> dict[str, str]:
    return {"DATABASE_URL": fresh_database.owner_url, "DATA": str(tmp_path)}


def test_a_superuser_is_refused(owned):
    assert "turnpike.E005" in deploy_check(**owned)


def test_the_owner_of_the_tables_is_refused(fresh_database, owned):
    fresh_database.sql("CREATE ROLE plain_owner LOGIN")
    try:
        fresh_database.sql("ALTER TABLE tenants_organization OWNER TO plain_owner")
        url = fresh_database.owner_url.replace("turnpike_owner", "plain_owner")
        said = deploy_check(**owned | {"DATABASE_URL": url})
        assert "turnpike.E006" in said
        assert "turnpike.E005" not in said
    finally:
        fresh_database.sql("DROP OWNED BY plain_owner CASCADE")
        fresh_database.sql("DROP ROLE plain_owner")


def test_a_database_that_is_away_is_a_warning(owned):
    said = deploy_check(**owned | {"DATABASE_URL": "postgresql://127.0.0.1:1/turnpike"})
    assert "turnpike.W002" in said
