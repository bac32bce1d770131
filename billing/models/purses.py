"""Purses and the holds on them: what an organization may still spend, and what is spoken for."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from foundation.ids import uuid7


class Purse(models.Model):
    """An amount that requests are held against: the wallet, or one window of one budget. Nano-dollars.

    A wallet has the id of its organization, and `posted_nusd` is the balance of its ledger account.
    A budget's purse covers `[starts_at, ends_at)`, and `posted_nusd` is what was spent in it.
    """

    class Kind(models.TextChoices):
        WALLET = "wallet"
        BUDGET = "budget"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey("tenants.Organization", on_delete=models.PROTECT, related_name="purses")
    kind = models.CharField(max_length=16, choices=Kind)
    budget_id = models.UUIDField(null=True, blank=True, help_text="The limits that this window belongs to.")
    window = models.CharField(max_length=16, blank=True, help_text="5h, day, week, month or lifetime.")
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    posted_nusd = models.BigIntegerField(default=0)
    held_nusd = models.BigIntegerField(default=0)
    credit_line_nusd = models.BigIntegerField(default=0, help_text="How far below zero a wallet may go: postpaid.")
    # Of budgets. What they are of, for people; the limits in force when it was last asked for, what was carried over
    # included; and how often a shadow budget would have refused a request, and worst cases of how much.
    scope = models.CharField(max_length=16, blank=True, default="", db_default="")
    label = models.CharField(max_length=128, blank=True, default="", db_default="")
    limit_nusd = models.BigIntegerField(null=True, blank=True)
    soft_nusd = models.BigIntegerField(null=True, blank=True)
    shadow_nusd = models.BigIntegerField(null=True, blank=True)
    carrying_nusd = models.BigIntegerField(null=True, blank=True, help_text="The limit whose rest is carried over.")
    carried_nusd = models.BigIntegerField(default=0, db_default=0, help_text="Left over from the window before.")
    shadow_refused = models.BigIntegerField(default=0, db_default=0)
    shadow_refused_nusd = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(held_nusd__gte=0), name="purse_holds_never_negative"),
            models.CheckConstraint(condition=Q(credit_line_nusd__gte=0), name="purse_credit_line_never_negative"),
            models.CheckConstraint(condition=Q(carried_nusd__gte=0), name="purse_carries_nothing_negative"),
            models.CheckConstraint(
                condition=Q(kind="wallet", id=F("organization_id"), budget_id=None, starts_at=None)
                | Q(kind="budget", budget_id__isnull=False, starts_at__isnull=False, ends_at__gt=F("starts_at")),
                name="purse_is_the_wallet_or_a_window_of_a_budget",
            ),
            models.UniqueConstraint(fields=("budget_id", "window", "starts_at"), name="purse_once_per_budget_window"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.id.hex}"


class Hold(models.Model):
    """The worst case of one request in flight, taken from every purse that applies. Gone when it is settled.

    Or a slice (`slice_id` is its own id): an amount that one process took in advance. A request that is held in a slice
    names it in `slice_id`, and takes nothing more from any purse.
    """

    request_id = models.UUIDField(primary_key=True)
    organization = models.ForeignKey(
        "tenants.Organization", on_delete=models.PROTECT, related_name="holds", db_constraint=False, db_index=False
    )
    project_id = models.UUIDField()
    key_id = models.UUIDField()
    model = models.CharField(max_length=128)
    customer = models.CharField(max_length=128, blank=True)
    purses = ArrayField(models.UUIDField())
    amount_nusd = models.BigIntegerField()
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField()
    slice_id = models.UUIDField(null=True)
    recalled = models.BooleanField(default=False, help_text="What is idle in this slice is wanted back.")

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(amount_nusd__gte=0), name="hold_amount_never_negative"),)
        indexes = (models.Index(fields=["organization"], condition=Q(slice_id__isnull=False), name="hold_in_slices"),)

    def __str__(self) -> str:
        return self.request_id.hex
