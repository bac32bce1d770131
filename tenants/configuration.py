"""Telling every gateway process that something about an organisation has changed.

Gateways cache what they know of a key for a few seconds. Each change that they must hear of bumps the organisation's
`config_version` in its own transaction; after the commit the number is put into Valkey as the organisation's fence,
which the gateways read with every request anyway, and published, so that idle ones hear of it, too. Valkey being down
costs speed only: what is cached is at most five seconds old.
"""

from functools import lru_cache
from uuid import UUID

import redis
from django.conf import settings
from django.db import connection, transaction

from foundation import logs

CHANNEL = "turnpike:config"

log = logs.get(__name__)

# Callbacks of two commits may run in either order: the fence only ever rises.
_RAISE_FENCE = """
if tonumber(ARGV[1]) > tonumber(redis.call('GET', KEYS[1]) or '0') then redis.call('SET', KEYS[1], ARGV[1]) end
redis.call('PUBLISH', ARGV[2], ARGV[3])
"""


def fence_key(organization_id: UUID) -> str:
    """Return the name under which Valkey holds the organisation's fence."""
    return f"{{{organization_id}}}:fence"


@transaction.atomic
def bump(organization_id: UUID) -> int:
    """Make every gateway look again at this organisation's keys after the commit; return the new version."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE tenants_organization SET config_version = config_version + 1"
            " WHERE id = %s RETURNING config_version",
            [organization_id],
        )
        row = cursor.fetchone()
    if row is None:
        raise LookupError("no such organisation in this scope")
    version = int(row[0])
    transaction.on_commit(lambda: _announce(organization_id, version))
    return version


def _announce(organization_id: UUID, version: int) -> None:
    try:
        _valkey(settings.REDIS_URL).eval(
            _RAISE_FENCE, 1, fence_key(organization_id), str(version), CHANNEL, str(organization_id)
        )
    except redis.RedisError:
        # The change itself is committed, and the gateways' caches end by themselves.
        log.exception("configuration_news_not_sent", organization=str(organization_id), version=version)


@lru_cache(maxsize=1)
def _valkey(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1)
