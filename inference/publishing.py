"""Telling the gateways that the catalogue changed: models, prices, pools, replicas or their states."""

from __future__ import annotations

from functools import lru_cache

import redis
from django.conf import settings
from django.db import transaction

from foundation import logs
from inference.gateway.news import CATALOGUE_CHANNEL

log = logs.get(__name__)


def catalogue_changed() -> None:
    """Have every gateway read the catalogue anew once this transaction is committed; without Valkey they poll."""
    transaction.on_commit(_publish)


def _publish() -> None:
    try:
        _valkey(settings.REDIS_URL).publish(CATALOGUE_CHANNEL, b"changed")
    except redis.RedisError:
        log.exception("catalogue_news_not_sent")


@lru_cache(maxsize=1)
def _valkey(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1)
