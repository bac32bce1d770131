"""After the load: is the money right, and is there a charge for every answer?"""

from dataclasses import dataclass

import psycopg

from benchmarks.installation import Installation
from config.local.errors import CannotStart

_COUNTS = """
SELECT (SELECT count(*) FROM billing_usagerecord WHERE outcome = 'complete' AND cost_nusd > 0),
    (SELECT count(*) FROM billing_usagerecord), (SELECT count(*) FROM billing_hold)
"""


@dataclass(frozen=True, slots=True)
class Proof:
    """What the books say after the last request was settled."""

    charged: int
    records: int
    holds: int
    ledger: str
    differences: bool

    def faults(self, answered: int) -> list[str]:
        """Say what is wrong, if anything, after so many requests were answered in full."""
        faults = [f"The ledger does not add up: {self.ledger}"] if self.differences else []
        if self.charged < answered:
            faults.append(f"{answered} requests were answered, and only {self.charged} were charged.")
        if self.holds:
            faults.append(f"{self.holds} holds were left behind.")
        return faults


def prove(installation: Installation) -> Proof:
    """Let the gateway drain, then verify the ledger."""
    installation.server.stop(hurry=installation.interrupts.in_a_hurry)
    with psycopg.connect(installation.owner_url) as connection:
        charged, records, holds = connection.execute(_COUNTS).fetchone() or (0, 0, 0)
    try:
        ledger, differences = installation.manage("verify_ledger").strip(), False
    except CannotStart as reason:
        ledger, differences = str(reason), True
    return Proof(charged, records, holds, ledger, differences=differences)
