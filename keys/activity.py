"""When keys were last used. Never written on the hot path: whoever counts usage reports it in one go."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import connection


def note(last_uses: Mapping[UUID, datetime]) -> int:
    """Move `last_used_at` of these keys forward, never back; return how many moved."""
    if not last_uses:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE keys_apikey SET last_used_at = seen.at FROM unnest(%s::uuid[], %s::timestamptz[]) AS seen(id, at)"
            " WHERE keys_apikey.id = seen.id AND (last_used_at IS NULL OR last_used_at < seen.at)",
            [list(last_uses.keys()), list(last_uses.values())],
        )
        return int(cursor.rowcount)
