"""The same money in Postgres: calls of the SQL functions, and a look at everything they left behind."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg

from billing.reconciliation import CHECKS
from foundation.ids import uuid7
from tests.billing.machine.books import Ask, Books, Charge, Purse, Record, Verdict

HOUR = timedelta(hours=1)
# A lease that has run out already, in place of waiting.
OVER = timedelta(seconds=-1)

# What one organization's books look like, in the order of `as_kept`.
LOOK = """
SELECT coalesce((SELECT jsonb_object_agg(id, jsonb_build_array(
            posted_nusd, held_nusd, carried_nusd, shadow_refused, shadow_refused_nusd,
            (SELECT jsonb_agg(concat_ws(' ', n.mode, n.percent) ORDER BY n.mode, n.percent)
            FROM billing_budgetnotice n WHERE n.purse_id = p.id)))
        FROM billing_purse p WHERE organization_id = ANY (%(who)s)), '{}'),
    coalesce((SELECT jsonb_object_agg(request_id, jsonb_build_array(
            organization_id, amount_nusd, purses, expires_at < clock_timestamp(), slice_id, recalled))
        FROM billing_hold WHERE organization_id = ANY (%(who)s)), '{}'),
    coalesce((SELECT jsonb_object_agg(request_id, jsonb_build_array(
            organization_id, outcome, cost_nusd, hold_nusd, late, purses))
        FROM billing_usagerecord WHERE organization_id = ANY (%(who)s)), '{}'),
    coalesce((SELECT jsonb_object_agg(concat_ws(' ', organization_id, account, kind), amount) FROM (
            SELECT organization_id, account, kind, sum(amount_nusd) AS amount FROM billing_ledgerentry
            WHERE organization_id = ANY (%(who)s) GROUP BY organization_id, account, kind) e), '{}')
"""

# Nothing of one history reaches the next. Only the owner, with all triggers off, can do this to the ledger.
CLEAN = """
SET session_replication_role = replica;
TRUNCATE billing_budgetnotice, billing_hold, billing_purse, billing_ledgerentry, billing_ledgertransaction,
    billing_usagerecord;
SET session_replication_role = origin
"""

ALL_CHECKS = " UNION ALL ".join(f"SELECT '{name}', * FROM ({query}) q" for name, query in CHECKS.items())

type Look = tuple[dict[str, Any], ...]


class Teller:
    """One connection of the application, in autocommit as the gateway's are. Each call is one transaction."""

    def __init__(self, url: str) -> None:
        self.connection = psycopg.connect(
            url, autocommit=True, prepare_threshold=1, options="-c turnpike.scope=all -c statement_timeout=20000"
        )

    def close(self) -> None:
        self.connection.close()

    def hold(self, asks: Sequence[Ask], lease: timedelta = HOUR) -> list[tuple[UUID, Verdict]]:
        batch = [
            {
                "request": ask.request,
                "organization": ask.organization,
                "project": ask.organization,
                "key": ask.organization,
                "model": "sim",
                "amount": ask.amount,
                "slice": ask.is_slice,
                "zone": "UTC",
                "caps": _caps(ask),
            }
            for ask in asks
        ]
        rows = self._rows("SELECT * FROM turnpike_hold(%s::jsonb, %s)", _json(batch), lease)
        return [
            (request, Verdict(tuple(purses) if purses else None, refused_by, room, held, idle))
            for request, purses, refused_by, _, _, room, held, idle, *_ in rows
        ]

    def grow(self, asks: Sequence[tuple[Ask, int, int]]) -> list[tuple[UUID, int | None, UUID | None]]:
        """Ask for what each request needs, and for what it wants."""
        batch = [
            {
                "request": ask.request,
                "organization": ask.organization,
                "needed": needed,
                "wanted": wanted,
                "caps": _caps(ask),
            }
            for ask, needed, wanted in asks
        ]
        return [row[:3] for row in self._rows("SELECT * FROM turnpike_grow(%s::jsonb)", _json(batch))]

    def settle(self, charges: Sequence[Charge]) -> list[tuple[UUID, str, int, UUID | None]]:
        batch = [
            {
                "request": charge.request,
                "organization": charge.organization,
                "project": charge.organization,
                "key": charge.organization,
                "model": "sim",
                "pool": "sim",
                "replica": "",
                "endpoint": "chat.completions",
                "streamed": False,
                "outcome": "complete",
                "source": "final",
                "status": 200,
                "prompt_tokens": 1,
                "cached_tokens": 0,
                "completion_tokens": 1,
                "cost": charge.cost,
                "purses": charge.purses,
                "slice": charge.slice,
                "held": charge.held,
                "release": charge.release,
                "started_at": "2026-11-21T10:00:00Z",
            }
            for charge in charges
        ]
        return self._rows("SELECT * FROM turnpike_settle(%s::jsonb)", _json(batch))

    def enter(self, asks: Sequence[tuple[Ask, UUID]], lease: timedelta = HOUR) -> int:
        batch = [
            {
                "request": ask.request,
                "slice": name,
                "organization": ask.organization,
                "project": ask.organization,
                "key": ask.organization,
                "model": "sim",
                "amount": ask.amount,
            }
            for ask, name in asks
        ]
        return self._number("SELECT turnpike_enter(%s::jsonb, %s)", _json(batch), lease)

    def shrink(self, parts: Sequence[tuple[UUID, int, bool]]) -> None:
        batch = [{"slice": name, "by": amount, "over": over} for name, amount, over in parts]
        self._rows("SELECT turnpike_shrink(%s::jsonb)", _json(batch))

    def renew(self, slices: Sequence[UUID], lease: timedelta = HOUR) -> set[UUID]:
        return {row[0] for row in self._rows("SELECT * FROM turnpike_renew(%s, %s)", list(slices), lease)}

    def void(self, requests: Sequence[UUID]) -> int:
        return self._number("SELECT turnpike_void(%s)", list(requests))

    def extend(self, requests: Sequence[UUID], lease: timedelta) -> set[UUID]:
        return {row[0] for row in self._rows("SELECT * FROM turnpike_extend(%s, %s)", list(requests), lease)}

    def reap(self, most: int = 1000) -> int:
        return self._number("SELECT turnpike_reap(%s)", most)

    def post(self, organization: UUID, kind: str, reference: str | None, amount: int) -> bool:
        ((posted,),) = self._rows(
            "SELECT posted FROM turnpike_post(%s, %s, %s, %s, 'grants', '', 'tests')",
            organization,
            kind,
            reference,
            amount,
        )
        return bool(posted)

    def lend(self, organization: UUID, credit_line: int) -> None:
        self._rows("SELECT turnpike_set_credit_line(%s, %s)", organization, credit_line)

    def look(self, organizations: Iterable[UUID]) -> Look:
        """All that Postgres keeps of these organizations."""
        cursor = self.connection.execute(LOOK, {"who": list(organizations)})
        found: Look | None = cursor.fetchone()
        assert found
        return found

    def windows(self, organizations: Iterable[UUID]) -> list[tuple[UUID, UUID, UUID, str, bool]]:
        """All budget windows: id, organization, budget, length, and whether it has ended."""
        return self._rows(
            """SELECT id, organization_id, budget_id, "window", ends_at <= clock_timestamp() FROM billing_purse
            WHERE kind = 'budget' AND organization_id = ANY (%s) ORDER BY starts_at""",
            list(organizations),
        )

    def differences(self) -> list[tuple]:
        """What `verify_ledger` would find: the same queries, but in one, and planned once."""
        return self._rows(ALL_CHECKS)

    def _rows(self, query: str, *parameters: object) -> list[tuple]:
        # The protocol of psycopg wants a literal; these queries are written above.
        return self.connection.execute(query.encode(), parameters).fetchall()

    def _number(self, query: str, *parameters: object) -> int:
        ((number,),) = self._rows(query, *parameters)
        return int(number)


def as_kept(books: Books) -> Look:
    """The books in the shape of `Teller.look`."""
    return (
        {str(name): _purse(purse, books.held(name)) for name, purse in books.purses.items()},
        {
            str(name): [
                str(hold.organization),
                hold.amount,
                _texts(hold.purses),
                hold.stale,
                str(hold.slice) if hold.slice else None,
                hold.recalled,
            ]
            for name, hold in books.holds.items()
        },
        {str(name): _record(record) for name, record in books.records.items()},
        {" ".join(map(str, name)): amount for name, amount in books.ledger.items()},
    )


def found(owner: psycopg.Connection, *, wallet: bool = True) -> UUID:
    """Found an organization, with a wallet or without."""
    name = uuid7()
    owner.execute(
        "INSERT INTO tenants_organization (id, name, slug, status, time_zone, config_version, created_at)"
        " VALUES (%s, 'Acme', %s, 'active', 'UTC', 1, now())",
        (name, name.hex),
    )
    if wallet:
        owner.execute("SELECT turnpike_open_wallet(%s)", (name,))
    return name


def _caps(ask: Ask) -> list[dict[str, object]]:
    return [
        {"budget": cap.budget, "window": cap.window, "scope": "key"}
        | {kind: cap.limit // part for kind, part in cap.parts}
        for cap in ask.caps
    ]


def _purse(purse: Purse, held: int) -> list[object]:
    marks = [f"{mode} {percent}" for mode, percent in sorted(purse.marks)] or None
    shadows = [purse.shadow_refused, purse.shadow_refused_amount]
    return [purse.posted, held, purse.carried, *shadows, marks]


def _record(record: Record) -> list[object]:
    return [
        str(record.organization),
        record.outcome,
        record.cost,
        record.hold,
        record.late,
        _texts(record.purses),
    ]


def _texts(names: Iterable[UUID]) -> list[str]:
    return [str(name) for name in names]


def _json(batch: object) -> str:
    return json.dumps(batch, default=str)
