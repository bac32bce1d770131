"""`manage.py verify_ledger`: proves usage = ledger = purses = rollups = statements, or names what differs."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing import reconciliation
from billing.models import LedgerTransaction, UsageRecord
from tenants import isolation


class Command(BaseCommand):
    """Exit code 0 when all is well, 1 with one line per difference when it is not."""

    help = "Prove that usage, ledger, purses, holds, statements and usage by hour and day agree."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the checks and tell."""
        started = time.monotonic()
        differences = reconciliation.verify_all()
        for difference in differences:
            self.stderr.write(str(difference))
        if differences:
            raise CommandError(f"{len(differences)} differences found.", returncode=1)
        with isolation.everything():
            requests, transactions = UsageRecord.objects.count(), LedgerTransaction.objects.count()
        seconds = time.monotonic() - started
        checks = len(reconciliation.CHECKS) + len(reconciliation.DERIVED)
        self.stdout.write(f"{checks} checks passed: {requests} requests, {transactions} transactions, {seconds:.1f} s.")
