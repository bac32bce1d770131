"""Proves that money is right: usage = ledger = purses = statements, holds add up, transactions balance.

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
    # What a window lends the next one it cannot spend itself. Late charges and overages come on top, with an alert.
    "carried_was_left": """
        SELECT 'purse ' || id::text, most, carried_nusd
        FROM (
            SELECT w.id, w.carried_nusd, w.last, w.carrying_nusd, w.posted_nusd,
                CASE WHEN w.ended_at = w.starts_at OR w."window" = '5h'
                    THEN turnpike_limit(NULL, w.carrying_nusd, w.carried_before) END AS whole,
                coalesce(w.carrying_nusd, 0) AS most
            FROM (
                SELECT p.id, p."window", p.starts_at, p.carried_nusd, last.id AS last, last.ends_at AS ended_at,
                    last.carrying_nusd, last.carried_nusd AS carried_before, last.posted_nusd
                FROM billing_purse p LEFT JOIN LATERAL (
                    SELECT l.* FROM billing_purse l
                    WHERE l.budget_id = p.budget_id AND l."window" = p."window" AND l.starts_at < p.starts_at
                    ORDER BY l.starts_at DESC LIMIT 1
                ) last ON true
                WHERE p.carried_nusd > 0
            ) w
        ) c
        -- After a whole window without any use there is no `whole`: all of a limit may be carried over then.
        WHERE carried_nusd > most OR whole IS NOT NULL AND carried_nusd > greatest(whole - posted_nusd, 0)
            AND carried_nusd > greatest(
                whole - (
                    SELECT coalesce(sum(least(u.cost_nusd, u.hold_nusd)), 0) FROM billing_usagerecord u
                    WHERE c.last = ANY (u.purses) AND NOT u.late
                ), 0)
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
    # Each month's statement opens with what the one before closed with, and the last one closes on the wallet.
    "statements_follow_each_other": """
        SELECT turnpike_public_id('org', p.id) || ' ' || to_char(s.month, 'YYYY-MM'), expected, found
        FROM billing_purse p JOIN tenants_organization o ON o.id = p.id,
            LATERAL (
                SELECT s.month, coalesce(lead(s.opening_nusd) OVER (ORDER BY s.month), p.posted_nusd) AS expected,
                    s.opening_nusd + s.credits_nusd + s.usage_nusd + s.corrections_nusd AS found
                FROM turnpike_statements(p.id, o.time_zone) s
            ) s
        WHERE p.kind = 'wallet' AND expected <> found
    """,
    "statements_equal_usage": """
        SELECT turnpike_public_id('org', coalesce(s.id, u.id)) || ' ' || to_char(coalesce(s.month, u.month), 'YYYY-MM'),
            coalesce(u.cost, 0), coalesce(s.usage, 0)
        FROM (
            SELECT o.id, s.month, -s.usage_nusd AS usage
            FROM tenants_organization o, LATERAL turnpike_statements(o.id, o.time_zone) s
        ) s
            FULL JOIN (
                SELECT o.id, date_trunc('month', u.at AT TIME ZONE o.time_zone)::date AS month, sum(u.cost_nusd) AS cost
                FROM billing_usagerecord u JOIN tenants_organization o ON o.id = u.organization_id
                WHERE u.cost_nusd > 0 GROUP BY 1, 2
            ) u ON u.id = s.id AND u.month = s.month
        WHERE coalesce(u.cost, 0) <> coalesce(s.usage, 0)
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
    return [difference for name in CHECKS for difference in check(name)]


def check(name: str) -> list[Difference]:
    """Run one check, in a transaction of its own."""
    with transaction.atomic(), isolation.everything():
        return _differences(name, CHECKS[name])


def verify_all() -> list[Difference]:
    """Run every check, and the proofs of what other apps derive from the books: sums of usage."""
    return [*verify(), *(difference for prove in DERIVED.values() for difference in prove())]


def _differences(name: str, query: str) -> list[Difference]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return [Difference(name, subject, int(expected), int(found)) for subject, expected, found in cursor.fetchall()]
