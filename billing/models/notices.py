"""Notices: a budget has been spent to a part that somebody wants to know of. One of each part in a window."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from foundation import ids
from foundation.ids import uuid7
from tenants.tenancy import TenantQuerySet


class BudgetNotice(models.Model):
    """Half, four fifths or all of a budget is spent. Written by the settlement that crossed the mark; nano-dollars.

    `limit_nusd` and `spent_nusd` are those of that moment.
    """

    PREFIX = "notice"

    class Mode(models.TextChoices):
        HARD = "hard"
        SOFT = "soft"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey("tenants.Organization", on_delete=models.PROTECT, related_name="budget_notices")
    purse = models.ForeignKey(
        "billing.Purse", on_delete=models.CASCADE, related_name="notices", db_constraint=False, db_index=False
    )
    mode = models.CharField(max_length=8, choices=Mode)
    percent = models.PositiveSmallIntegerField()
    limit_nusd = models.BigIntegerField()
    spent_nusd = models.BigIntegerField()
    at = models.DateTimeField()
    mailed_at = models.DateTimeField(null=True, blank=True)

    objects = TenantQuerySet["BudgetNotice"].as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("purse", "mode", "percent"), name="budget_notice_once_per_mark"),
            models.CheckConstraint(condition=Q(percent__in=(50, 80, 100)), name="budget_notice_of_a_known_mark"),
        )
        indexes = (models.Index(fields=("id",), condition=Q(mailed_at=None), name="budget_notice_not_mailed"),)

    def __str__(self) -> str:
        return f"{self.percent} % of {self.purse_id.hex}"

    @property
    def public_id(self) -> str:
        """The id as the outside world sees it."""
        return ids.public(self.PREFIX, self.id)
