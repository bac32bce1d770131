"""What one request consumed and cost, as its organization may see it and check it. No Django: the gateway serves it.

Everything comes from the records that charged the request: its usage record, the price version that it names, the
corrections of later prices. Read as of now: a late settlement or a correction makes a new receipt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson

from billing.rates import Rates
from foundation import ids
from foundation.money import nano

PURPOSE = "receipts"
"""What the signing key of receipts is derived for."""

# One statement, one snapshot: a request that is settled at this moment is either held or recorded. Rates as text.
FIND = """
WITH usage AS (
    SELECT * FROM billing_usagerecord WHERE request_id = %(request)s AND organization_id = %(organization)s
), correction AS (
    SELECT id, price_version, difference_nusd, transaction_id FROM billing_correction
    WHERE request_id = %(request)s AND organization_id = %(organization)s
)
SELECT json_build_object(
    'held', EXISTS (
        SELECT FROM billing_hold WHERE request_id = %(request)s AND organization_id = %(organization)s
    ),
    'record', (SELECT to_json(u) FROM usage u),
    'corrections', (SELECT coalesce(json_agg(c ORDER BY c.id), '[]') FROM correction c),
    'prices', (SELECT coalesce(json_object_agg(p.version, (
            SELECT coalesce(json_object_agg(c.kind, c.usd_per_million::text), '{}')
            FROM billing_pricecomponent c WHERE c.price_id = p.id
        )), '{}')
        FROM billing_price p JOIN usage u ON u.model = p.model
        WHERE p.version = u.price_version OR p.version IN (SELECT price_version FROM correction))
)::text
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is known of a request: its receipt once it has ended, or that it still runs. Neither: nothing is known."""

    receipt: dict[str, Any] | None
    in_progress: bool


def parameters(organization_id: UUID, request_id: UUID) -> dict[str, UUID]:
    """Return the parameters of `FIND`."""
    return {"organization": organization_id, "request": request_id}


def read(found: str, *, at: datetime) -> Finding:
    """Make of `FIND`'s answer what an organization sees. `at` is when."""
    facts = orjson.loads(found)
    if facts["record"] is None:
        return Finding(None, facts["held"])
    return Finding(_receipt(facts["record"], facts["corrections"], facts["prices"], at), in_progress=False)


def envelope(request_id: str, finding: Finding, jws: str | None) -> dict[str, Any]:
    """Return the answer about a request that is known: its receipt in the clear, and signed."""
    status = "in_progress" if finding.receipt is None else "final"
    return {"object": "receipt", "id": request_id, "status": status, "receipt": finding.receipt, "jws": jws}


def _receipt(
    record: dict[str, Any], corrections: list[dict[str, Any]], prices: dict[str, dict[str, str]], at: datetime
) -> dict[str, Any]:
    rates = {int(version): _per_million(found) for version, found in prices.items()}
    version, project = record["price_version"], record["project_id"]
    return {
        "id": ids.public("req", UUID(record["request_id"])),
        "organization": ids.public("org", UUID(record["organization_id"])),
        # A key outside of any project writes its organization here.
        "project": None if project == record["organization_id"] else ids.public("proj", UUID(project)),
        "key": ids.public("key", UUID(record["key_id"])),
        "customer": record["customer"] or None,
        "endpoint": record["endpoint"] or None,
        "model": record["model"],
        "pool": record["pool"] or None,
        "streamed": record["streamed"],
        "outcome": record["outcome"],
        "http_status": record["status"] or None,
        "attempts": record["attempts"],
        "cache": record["cache"],
        "usage_source": record["usage_source"],
        "tokens": {
            "input": record["prompt_tokens"],
            "cached_input": record["cached_tokens"],
            "output": record["completion_tokens"],
        },
        "quantity": {"unit": record["unit"], "units": record["quantity"]} if record["unit"] else None,
        "price": _price(version, rates),
        "lines": _lines(record, rates.get(version)),
        "hold_nano_usd": record["hold_nusd"],
        "charge_nano_usd": record["cost_nusd"],
        "late": record["late"],
        "transaction": _transaction(record["transaction_id"]),
        "corrections": [
            {
                "price": _price(one["price_version"], rates),
                "difference_nano_usd": one["difference_nusd"],
                "transaction": _transaction(one["transaction_id"]),
            }
            for one in corrections
        ],
        "total_nano_usd": record["cost_nusd"] + sum(one["difference_nusd"] for one in corrections),
        "timing": _timing(record),
        "issued_at": _instant(at),
    }


def _per_million(rates: Mapping[str, str]) -> dict[str, int]:
    return {kind: nano(Decimal(rate)) for kind, rate in sorted(rates.items())}


def _price(version: int | None, rates: dict[int, dict[str, int]]) -> dict[str, Any] | None:
    return None if version is None else {"version": version, "nano_usd_per_million": rates.get(version, {})}


def _lines(record: dict[str, Any], per_million: dict[str, int] | None) -> list[dict[str, Any]]:
    """Return what the charge is the rounded sum of; nothing where nothing was charged."""
    rates = Rates(record["price_version"] or 0, datetime.min.replace(tzinfo=UTC), per_million or {})
    used = {
        "prompt_tokens": record["prompt_tokens"],
        "cached_tokens": record["cached_tokens"],
        "completion_tokens": record["completion_tokens"],
        "unit": record["unit"],
        "quantity": record["quantity"],
    }
    if not record["cost_nusd"] or rates.cost(**used) != record["cost_nusd"]:
        return []
    return [
        {"kind": kind, "units": units, "nano_usd_per_million": rates.per_million[kind]}
        for kind, units in rates.quantities(**used).items()
    ]


def _transaction(transaction_id: str | None) -> str | None:
    return None if transaction_id is None else ids.public("txn", UUID(transaction_id))


def _timing(record: dict[str, Any]) -> dict[str, Any]:
    started = datetime.fromisoformat(record["started_at"])
    return {
        "started_at": _instant(started),
        "first_token_at": _after(started, record["ttft_ms"]),
        "ended_at": _after(started, record["latency_ms"]),
        "settled_at": _instant(datetime.fromisoformat(record["at"])),
        "first_token_ms": record["ttft_ms"],
        "total_ms": record["latency_ms"],
    }


def _after(started: datetime, milliseconds: int | None) -> str | None:
    return None if milliseconds is None else _instant(started + timedelta(milliseconds=milliseconds))


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
