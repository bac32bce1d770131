"""Money that is spent under somebody's limits, through the functions that the gateway calls."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.db import connection

from billing import wallet
from billing.budgets import as_item, by_purse
from foundation import ids
from keys import scopes
from keys.effective import merge
from keys.models import ScopeLimits
from tenants.models import Organization
from tests.inference import records
from tests.tenants import cast


def rich(organization: Organization) -> Organization:
    """Give the organisation a wallet with a dollar in it."""
    wallet.open_wallet(organization.pk)
    wallet.credit(
        organization_id=organization.pk, amount_nusd=10**9, reference=organization.slug, memo="", actor=cast.SYSTEM
    )
    return organization


def hold(row: ScopeLimits, amount: int, text: str = "") -> tuple[UUID, list[UUID]]:
    """Hold so much under a row's limits; to a row for each, `text` says to whom it applies."""
    request_id = ids.uuid7()
    item = {
        "request": request_id,
        "organization": row.organization_id,
        "project": records.PROJECT,
        "key": records.KEY,
        "model": "sim",
        "amount": amount,
        "zone": row.organization.time_zone,
        "caps": [as_item(caps) for caps in by_purse(merge([scopes.of(row, text)]).caps)],
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT purses FROM turnpike_hold(%s::jsonb, interval '1 minute')", [json.dumps([item], default=str)]
        )
        (purses,) = cursor.fetchone()
    assert purses, "there is no room"
    return request_id, purses


def spend(row: ScopeLimits, amount: int, text: str = "", **facts: Any) -> None:
    """Hold so much and use all of it."""
    request_id, purses = hold(row, amount, text)
    records.settle(row.organization, request_id=request_id, purses=purses, cost=amount, **facts)
