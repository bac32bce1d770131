"""Proves that money is right: usage = ledger = purses, holds add up, transactions balance.

Each check is one query that returns what is wrong, and nothing when all is well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection, transaction

from tenants import isolation


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is wrong: which check found it, where, and the two numbers that should be equal."""

    check: str
    subject: str
    expected: int
    found: int

    def __str__(self) -> str:
        return f"{self.check}: {self.subject}: expected {self.expected}, found {self.found}"


CHECKS: dict[str, str] = {
    "transaction_sums_to_zero": """
        SELECT turnpike_public_id('txn', t.id), 0, coalesce(sum(e.amount_nusd), 0)
        FROM billing_ledgertransaction t LEFT JOIN billing_ledgerentry e ON e.transaction_id = t.id
        GROUP BY t.id HAVING coalesce(sum(e.amount_nusd), 0) <> 0 OR count(e.id) < 2
    """,
    "wallet_equals_ledger": """
        SELECT turnpike_public_id('org', coalesce(p.id, l.organization_id)),
            coalesce(l.amount, 0), coalesce(p.posted_nusd, 0)
        FROM (SELECT id, posted_nusd FROM billing_purse WHERE kind = 'wallet') p
            FULL JOIN (
                SELECT organization_id, sum(amount_nusd) AS amount FROM billing_ledgerentry
                WHERE account = 'wallet' GROUP BY organization_id
            ) l ON l.organization_id = p.id
        WHERE coalesce(l.amount, 0) <> coalesce(p.posted_nusd, 0)
    """,
    "usage_equals_ledger": """
        SELECT turnpike_public_id('txn', coalesce(u.transaction_id, l.id)),
            coalesce(u.cost, 0), coalesce(l.amount, 0)
        FROM (
            SELECT transaction_id, organization_id, sum(cost_nusd) AS cost FROM billing_usagerecord
            WHERE transaction_id IS NOT NULL GROUP BY transaction_id, organization_id
        ) u
            FULL JOIN (
                SELECT t.id, t.organization_id, -sum(e.amount_nusd) AS amount
                FROM billing_ledgertransaction t
                    JOIN billing_ledgerentry e ON e.transaction_id = t.id AND e.account = 'wallet'
                WHERE t.kind = 'usage' GROUP BY t.id
            ) l ON l.id = u.transaction_id AND l.organization_id = u.organization_id
        WHERE coalesce(u.cost, 0) <> coalesce(l.amount, 0)
    """,
    "corrections_equal_ledger": """
        SELECT turnpike_public_id('txn', coalesce(c.transaction_id, l.id)), coalesce(c.amount, 0), coalesce(l.amount, 0)
        FROM (
            SELECT transaction_id, sum(difference_nusd) AS amount FROM billing_correction GROUP BY transaction_id
        ) c
            FULL JOIN (
                SELECT t.id, -sum(e.amount_nusd) AS amount
                FROM billing_ledgertransaction t
                    JOIN billing_ledgerentry e ON e.transaction_id = t.id AND e.account = 'wallet'
                WHERE t.kind = 'rerating' GROUP BY t.id
            ) l ON l.id = c.transaction_id
        WHERE coalesce(c.amount, 0) <> coalesce(l.amount, 0)
    """,
    "usage_names_its_transaction": """
        SELECT turnpike_public_id('req', u.request_id), u.cost_nusd, 0
        FROM billing_usagerecord u WHERE (u.cost_nusd <> 0) <> (u.transaction_id IS NOT NULL)
    """,
    "budget_equals_usage": """
        SELECT 'purse ' || coalesce(p.id, u.purse)::text, coalesce(u.cost, 0), coalesce(p.posted_nusd, 0)
        FROM (SELECT id, posted_nusd FROM billing_purse WHERE kind = 'budget') p
            FULL JOIN (
                SELECT purse, sum(cost_nusd) AS cost FROM billing_usagerecord, unnest(purses) AS purse
                WHERE purse <> organization_id GROUP BY purse
            ) u ON u.purse = p.id
        WHERE coalesce(u.cost, 0) <> coalesce(p.posted_nusd, 0)
    """,
    # In two windows at once a budget would have its allowance twice.
    "budget_windows_do_not_overlap": """
        SELECT 'purse ' || id::text, 0, ceil(extract(epoch FROM ended_at - starts_at))
        FROM (
            SELECT id, starts_at, lag(ends_at) OVER (PARTITION BY budget_id, "window" ORDER BY starts_at) AS ended_at
            FROM billing_purse WHERE kind = 'budget'
        ) w
        WHERE ended_at > starts_at
    """,
    "held_equals_holds": """
        SELECT 'purse ' || coalesce(p.id, h.purse)::text, coalesce(h.amount, 0), coalesce(p.held_nusd, 0)
        FROM billing_purse p
            FULL JOIN (
                SELECT purse, sum(amount_nusd) AS amount FROM billing_hold, unnest(purses) AS purse
                WHERE slice_id IS NULL OR slice_id = request_id GROUP BY purse
            ) h ON h.purse = p.id
        WHERE coalesce(h.amount, 0) <> coalesce(p.held_nusd, 0)
    """,
    "slice_covers_its_requests": """
        SELECT turnpike_public_id('req', s.request_id), s.amount_nusd, sum(m.amount_nusd)
        FROM billing_hold s JOIN billing_hold m ON m.slice_id = s.request_id AND m.request_id <> s.request_id
        WHERE s.slice_id = s.request_id
        GROUP BY s.request_id HAVING sum(m.amount_nusd) > s.amount_nusd
    """,
    # The reaper comes every few seconds: a minute past its lease a hold is stuck.
    "hold_within_its_lease": """
        SELECT turnpike_public_id('req', request_id), 0, amount_nusd
        FROM billing_hold WHERE expires_at < clock_timestamp() - interval '60 seconds'
    """,
    "request_charged_or_in_flight": """
        SELECT turnpike_public_id('req', u.request_id), 0, h.amount_nusd
        FROM billing_usagerecord u JOIN billing_hold h ON h.request_id = u.request_id
    """,
}

DERIVED: dict[str, Callable[[], list[Difference]]] = {}
"""Proofs of what the apps above derive from the books. They register themselves as they load: billing knows none."""


def verify() -> list[Difference]:
    """Run every check and return all that is wrong.

    Each check is one query and so sees one snapshot, and each has a transaction of its own: a snapshot that is kept
    keeps the dead versions of busy wallets too, and holds take longer with each of them.
    """
    differences = []
    for name, query in CHECKS.items():
        with transaction.atomic(), isolation.everything():
            differences += _differences(name, query)
    return differences


def verify_derived() -> list[Difference]:
    """Run the proofs of what other apps derive from the books; nothing of it is money."""
    return [difference for prove in DERIVED.values() for difference in prove()]


def _differences(name: str, query: str) -> list[Difference]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return [Difference(name, subject, int(expected), int(found)) for subject, expected, found in cursor.fetchall()]
