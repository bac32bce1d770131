"""News of the catalogue leaves after the commit, and never in its way."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from redis import Redis

from inference import publishing
from inference.gateway.news import CATALOGUE_CHANNEL


def test_news_leaves_after_the_commit(fresh_database, valkey):
    publishing._valkey.cache_clear()
    with Redis.from_url(settings.REDIS_URL) as client, client.pubsub() as listener:
        listener.subscribe(CATALOGUE_CHANNEL)
        assert listener.get_message(timeout=1)["type"] == "subscribe"
        with transaction.atomic():
            publishing.catalogue_changed()
            assert listener.get_message(timeout=0.2) is None
        assert listener.get_message(timeout=1)["type"] == "message"
    publishing._valkey(settings.REDIS_URL).close()


def test_a_change_that_was_rolled_back_is_no_news(fresh_database, valkey):
    with Redis.from_url(settings.REDIS_URL) as client, client.pubsub() as listener:
        listener.subscribe(CATALOGUE_CHANNEL)
        listener.get_message(timeout=1)
        with transaction.atomic():
            publishing.catalogue_changed()
            transaction.set_rollback(True)
        assert listener.get_message(timeout=0.2) is None


def test_valkey_being_down_stops_nothing(fresh_database, settings, capsys):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    publishing._valkey.cache_clear()
    publishing.catalogue_changed()
    publishing._valkey.cache_clear()
    assert "catalogue_news_not_sent" in capsys.readouterr().out
