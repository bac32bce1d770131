"""What is on record about one organisation, and whether it adds up."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from billing import tasks
from foundation import ids
from tests.inference.simulator.client import eventually
from tests.installation import Installation, Tenant

# The longest lease that a test waits for, and the time of a noisy machine.
LEASE_AND_MORE = 20.0


@dataclass(frozen=True)
class Books:
    """The books of one tenant, read by the owner of the database."""

    installation: Installation
    tenant: Tenant

    @property
    def posted(self) -> int:
        return self._wallet()[0]

    @property
    def held(self) -> int:
        return self._wallet()[1]

    @property
    def free(self) -> int:
        """What new requests may still hold; never negative."""
        posted, held = self._wallet()
        return posted - held

    def holds(self) -> int:
        query = "SELECT count(*) FROM billing_hold WHERE organization_id = %s"
        return self.installation.sql(query, self.tenant.id)[0][0]

    def slices(self) -> int:
        query = "SELECT count(*) FROM billing_hold WHERE organization_id = %s AND slice_id = request_id"
        return self.installation.sql(query, self.tenant.id)[0][0]

    def records(self) -> dict[str, dict[str, Any]]:
        """The usage records by the request ids that clients see."""
        query = "SELECT to_jsonb(u) FROM billing_usagerecord u WHERE organization_id = %s ORDER BY request_id"
        rows = [row for (row,) in self.installation.sql(query, self.tenant.id)]
        return {ids.public("req", UUID(row["request_id"])): row for row in rows}

    def closed(self, within: float = 10.0) -> dict[str, dict[str, Any]]:
        """Wait until nothing is held any more, prove that everything adds up, and return the records."""
        # A slice may be taken at the very moment at which the last request ends; it is given back a second later.
        eventually(lambda: not self.holds() and not self.held, within)
        assert self.installation.verify_ledger() == []
        records = self.records()
        assert self.posted + sum(record["cost_nusd"] for record in records.values()) == self._paid_in()
        return records

    def closed_by_the_reaper(self) -> dict[str, dict[str, Any]]:
        """The same, where the holds of dead processes have to end with their leases first."""
        eventually(self._reaped, LEASE_AND_MORE)
        return self.closed()

    def closed_after_the_end(self) -> dict[str, dict[str, Any]]:
        """The same, where every process that could keep a hold alive is dead: their leases need not be waited for."""
        over = "UPDATE billing_hold SET expires_at = now() - interval '1 second' WHERE organization_id = %s"
        self.installation.sql(over, self.tenant.id)
        return self.closed_by_the_reaper()

    def _reaped(self) -> bool:
        with self.installation.django():
            tasks.reap_holds()
        return not self.holds()

    def _wallet(self) -> tuple[int, int]:
        query = "SELECT posted_nusd, held_nusd FROM billing_purse WHERE id = %s"
        return self.installation.sql(query, self.tenant.id)[0]

    def _paid_in(self) -> int:
        query = """SELECT coalesce(sum(e.amount_nusd), 0) FROM billing_ledgerentry e
            JOIN billing_ledgertransaction t ON t.id = e.transaction_id
            WHERE e.account = 'wallet' AND t.kind <> 'usage' AND e.organization_id = %s"""
        return int(self.installation.sql(query, self.tenant.id)[0][0])
