"""The double-entry ledger: append-only, every transaction sums to zero (a trigger says so)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from foundation import ids
from foundation.ids import uuid7


class LedgerTransaction(models.Model):
    """One movement of money. `(kind, reference)` is its idempotency key where it has a reference."""

    class Kind(models.TextChoices):
        USAGE = "usage"
        CREDIT = "credit"
        ADJUSTMENT = "adjustment"
        STRIPE = "stripe"
        RERATING = "rerating"

    PREFIX = "txn"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey("tenants.Organization", on_delete=models.PROTECT, related_name="transactions")
    kind = models.CharField(max_length=16, choices=Kind)
    reference = models.CharField(max_length=255, null=True, blank=True)
    memo = models.CharField(max_length=500, blank=True)
    actor = models.CharField(max_length=255, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("kind", "reference"),
                condition=Q(reference__isnull=False),
                name="ledger_transaction_once_per_reference",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.public_id}"

    @property
    def public_id(self) -> str:
        """The id as the outside world sees it."""
        return ids.public(self.PREFIX, self.id)


class LedgerEntry(models.Model):
    """One line of a transaction. Positive amounts are credits of the account, in nano-dollars."""

    class Account(models.TextChoices):
        WALLET = "wallet"
        REVENUE = "revenue"
        GRANTS = "grants"
        STRIPE = "stripe"

    class Kind(models.TextChoices):
        USAGE = "usage"
        OVERAGE = "overage"
        CREDIT = "credit"
        ADJUSTMENT = "adjustment"
        STRIPE = "stripe"
        RERATING = "rerating"

    id = models.BigAutoField(primary_key=True)
    transaction = models.ForeignKey(LedgerTransaction, on_delete=models.PROTECT, related_name="entries")
    organization = models.ForeignKey("tenants.Organization", on_delete=models.PROTECT, related_name="entries")
    account = models.CharField(max_length=16, choices=Account)
    kind = models.CharField(max_length=16, choices=Kind)
    amount_nusd = models.BigIntegerField()

    class Meta:
        verbose_name_plural = "ledger entries"
        constraints = (models.CheckConstraint(condition=~Q(amount_nusd=0), name="ledger_entry_never_zero"),)

    def __str__(self) -> str:
        return f"{self.account} {self.amount_nusd}"
