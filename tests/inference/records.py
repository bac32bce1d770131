"""Usage records as the gateway settles them: through the settlement function, which is the only way to write one."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from billing import wallet
from foundation import clock, ids
from tenants.models import Organization

PROJECT, KEY = ids.uuid7(), ids.uuid7()


def at(moment: datetime) -> UUID:
    """Return a new request id of this moment."""
    return UUID(int=ids.lowest_at(moment).int | (ids.uuid7().int & ((1 << 62) - 1)))


def settle(organization: Organization, moment: datetime | None = None, **facts: Any) -> UUID:
    """Settle one request that started at this moment, now if none is given; return its id."""
    started_at = moment or clock.now()
    request_id = facts.pop("request_id", None) or at(started_at)
    bill = {
        "request": request_id,
        "organization": organization.pk,
        "project": facts.pop("project_id", PROJECT),
        "key": facts.pop("key_id", KEY),
        "customer": "",
        "model": "sim",
        "pool": "sim",
        "replica": "r",
        "endpoint": "chat.completions",
        "streamed": False,
        "outcome": "complete",
        "source": "final",
        "status": 200,
        "prompt_tokens": 10,
        "cached_tokens": 2,
        "completion_tokens": 5,
        "price_version": 1,
        "cost": 1_000,
        "purses": [organization.pk],
        "ttft_ms": 3,
        "latency_ms": 9,
        "started_at": started_at,
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM turnpike_settle(%s::jsonb)", [json.dumps([bill | facts], default=str)])
        assert cursor.fetchone()[1] in {"settled", "late"}
    return request_id


def usd(amount: str) -> Decimal:
    """Spell a rate."""
    return Decimal(amount)


def open_wallet(organization: Organization) -> None:
    """Let the organisation be charged."""
    wallet.open_wallet(organization.pk)
