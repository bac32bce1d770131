"""The form of a pool takes a credential, and never gives it back."""

import pytest

from inference import credentials
from inference.models import Pool
from tenants.models import AuditEvent
from tests.admin.cast import address, text

SECRET = "sk-provider-secret-abcd"
FORM = {
    "name": "there",
    "engine": "openai",
    "weight": "1",
    "enabled": "on",
    "credential_env": "",
    "connect_ms": "2000",
    "first_byte_ms": "60000",
    "between_tokens_ms": "30000",
    "total_ms": "600000",
    "replicas-TOTAL_FORMS": "0",
    "replicas-INITIAL_FORMS": "0",
    "deployments-TOTAL_FORMS": "0",
    "deployments-INITIAL_FORMS": "0",
}


@pytest.fixture(autouse=True)
def keys(settings, valkey):
    settings.CREDENTIAL_KEYS = ["k" * 40]
    return settings


def save(visitor, page: str, **fields: str):
    where = [Pool.objects.get().pk] if page == "change" else []
    return visitor.post(address(Pool, page, *where), FORM | fields)


def test_a_credential_is_sealed_audited_and_not_shown(olu):
    assert save(olu, "add", credential=SECRET).status_code == 302
    pool = Pool.objects.get()
    assert SECRET not in pool.sealed_credential
    event = AuditEvent.objects.get(action="pool.added")
    assert "credential" in event.facts["fields"]
    page = olu.get(address(Pool, "change", pool.pk))
    assert "set, ending in …abcd" in text(page)
    for answer in (page, olu.get(address(Pool, "history", pool.pk)), olu.get(address(Pool, "changelist"))):
        assert SECRET not in answer.content.decode()
    assert SECRET not in str(event.facts)


def test_an_empty_field_leaves_it_as_it_is(olu):
    save(olu, "add", credential=SECRET)
    before = Pool.objects.get().sealed_credential
    assert save(olu, "change", weight="2").status_code == 302
    pool = Pool.objects.get()
    assert (pool.weight, pool.sealed_credential) == (2, before)


def test_it_is_replaced_and_removed(olu):
    save(olu, "add", credential=SECRET)
    save(olu, "change", credential="another-credential-wxyz")
    assert credentials.described(Pool.objects.get()).endswith("…wxyz")
    save(olu, "change", forget_credential="on", credential_env="KEY")
    assert credentials.described(Pool.objects.get()) == "from the environment variable KEY"


@pytest.mark.parametrize(
    "fields",
    [
        {"credential": "two words"},
        {"credential": "line\nbreak"},
        {"credential": "schlüssel"},
        {"credential": SECRET, "credential_env": "KEY"},
        {"credential": SECRET, "forget_credential": "on"},
    ],
)
def test_what_cannot_be_a_credential_is_refused_without_repeating_it(olu, fields):
    answer = save(olu, "add", **fields)
    assert answer.status_code == 200
    assert not Pool.objects.exists()
    assert fields["credential"] not in answer.content.decode()


def test_without_a_key_nothing_is_stored(olu, keys):
    keys.CREDENTIAL_KEYS = []
    assert "CREDENTIAL_KEYS" in text(save(olu, "add", credential=SECRET))
    assert not Pool.objects.exists()


def test_a_url_with_two_readings_is_refused(olu):
    replica = {"replicas-TOTAL_FORMS": "1", "replicas-0-url": "http://127.0.0.1:9\\@example.com/"}
    answer = save(olu, "add", **replica, **{"replicas-0-state": "unknown"})
    assert answer.status_code == 200
    assert not Pool.objects.exists()
