"""News of an organisation reaches the gateways after the commit, and only then."""

import pytest
import redis

from foundation.ids import uuid7
from tenants import configuration, isolation


@pytest.fixture
def store(valkey, settings):
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        yield client


@pytest.fixture
def news(store):
    """What is published on the channel, from now on."""
    with store.pubsub(ignore_subscribe_messages=True) as subscription:
        subscription.subscribe(configuration.CHANNEL)
        subscription.get_message(timeout=1)
        yield lambda: subscription.get_message(timeout=1)


def fence(store, organization):
    return store.get(f"{{{organization.pk}}}:fence")


def test_each_bump_is_a_new_version(acme):
    assert [configuration.bump(acme.pk), configuration.bump(acme.pk)] == [2, 3]
    acme.refresh_from_db()
    assert acme.config_version == 3


def test_the_news_waits_for_the_commit(acme, store, news, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        version = configuration.bump(acme.pk)
        assert fence(store, acme) is None
    assert fence(store, acme) == str(version).encode()
    assert news()["data"] == str(acme.pk).encode()


def test_a_fence_never_falls(acme, store, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as callbacks:
        configuration.bump(acme.pk)
        configuration.bump(acme.pk)
    for callback in reversed(callbacks):
        callback()
    assert fence(store, acme) == b"3"


def test_a_change_stands_while_valkey_is_down(acme, settings, tmp_path, django_capture_on_commit_callbacks):
    settings.REDIS_URL = f"unix://{tmp_path}/nobody.sock"
    with django_capture_on_commit_callbacks(execute=True):
        assert configuration.bump(acme.pk) == 2
    acme.refresh_from_db()
    assert acme.config_version == 2


def test_somebody_else_cannot_be_bumped(acme, globex):
    with isolation.scope_to(globex.pk), pytest.raises(LookupError):
        configuration.bump(acme.pk)


def test_a_bump_of_nobody_is_an_error(db):
    with pytest.raises(LookupError):
        configuration.bump(uuid7())
