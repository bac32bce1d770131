"""Credentials of pools are kept sealed, described without being told, and sealed anew under a new key."""

from io import StringIO

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError

from inference import credentials
from inference.gateway.credentials import Credentials
from inference.models import Pool, Replica
from tenants.models import AuditEvent

OLD, NEW = "o" * 40, "n" * 40
SECRET = "sk-provider-secret-abcd"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def keys(settings):
    settings.CREDENTIAL_KEYS = [OLD]
    return settings


def pool(name: str = "there", secret: str = SECRET) -> Pool:
    made = Pool(name=name, engine="openai")
    made.sealed_credential = credentials.seal(made, secret)
    made.save()
    return made


def opened(keys: list[str]) -> dict[str, str]:
    """What a gateway with these keys opens, by pool."""
    rows = [
        {"id": str(pool.pk), "name": pool.name, "credential_env": "", "sealed_credential": pool.sealed_credential}
        for pool in Pool.objects.all()
    ]
    found = Credentials(keys).of(rows)
    return {row["name"]: found[row["id"]] for row in rows if row["id"] in found}


def rotate() -> str:
    out = StringIO()
    call_command("rotate_credentials", stdout=out)
    return out.getvalue()


def test_what_is_stored_is_not_the_secret():
    assert SECRET not in pool().sealed_credential
    assert opened([OLD]) == {"there": SECRET}


def test_a_credential_is_told_by_its_end_only(keys):
    assert credentials.described(pool()) == "set, ending in …abcd"
    assert credentials.described(pool("short", "sk-abcd")) == "set"
    assert credentials.described(Pool(name="x")) == "none"
    assert credentials.described(Pool(name="x", credential_env="KEY")) == "from the environment variable KEY"
    keys.CREDENTIAL_KEYS = [NEW]
    assert "enter it again" in credentials.described(Pool.objects.get(name="there"))


def test_after_a_rotation_the_old_key_can_go(keys):
    pool()
    keys.CREDENTIAL_KEYS = [NEW, OLD]
    assert "1 sealed anew, 0 were current" in rotate()
    assert opened([NEW]) == {"there": SECRET}
    assert opened([OLD]) == {}
    assert "0 sealed anew, 1 were current" in rotate()
    event = AuditEvent.objects.get(action="pool.credential_sealed_anew")
    assert SECRET not in str(event.facts)


def test_a_rotation_names_what_it_cannot_open_and_does_the_rest(keys):
    lost = pool("lost")
    keys.CREDENTIAL_KEYS = [NEW]
    pool("kept")
    moved = pool("moved")
    Pool.objects.filter(pk=moved.pk).update(sealed_credential=Pool.objects.get(name="kept").sealed_credential)
    with pytest.raises(CommandError, match="lost, moved"):
        rotate()
    assert Pool.objects.get(pk=lost.pk).sealed_credential == lost.sealed_credential
    assert opened([NEW]) == {"kept": SECRET}


def test_there_is_nothing_to_rotate_with_without_a_key(keys):
    keys.CREDENTIAL_KEYS = []
    with pytest.raises(CommandError, match="empty"):
        rotate()


def test_a_pool_has_one_credential():
    one = pool()
    with pytest.raises(IntegrityError, match="pool_has_one_credential_at_most"):
        Pool.objects.filter(pk=one.pk).update(credential_env="KEY")


@pytest.mark.parametrize("url", ["http://user@host", "http://a\\@b", "http://a?b", "http://a#b", "ftp://a", "a"])
def test_the_database_takes_plain_urls_only(url):
    with pytest.raises(IntegrityError, match="replica_url_is_plain"):
        Replica.objects.create(pool=pool(), url=url)


@pytest.mark.parametrize("url", ["http://169.254.169.254", "http://a:99999", "http://a@b"])
def test_a_form_looks_closer_at_urls(url):
    with pytest.raises(ValidationError) as caught:
        Replica(pool=pool(), url=url).full_clean()
    assert set(caught.value.message_dict) == {"url"}
