"""What a corrected price changed for a request that was charged before. The record and its charge stay as they are."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Correction(models.Model):
    """The difference between a charge and what a corrected price says, and the transaction that evened it out."""

    request_id = models.UUIDField()
    organization = models.ForeignKey("tenants.Organization", on_delete=models.PROTECT, related_name="corrections")
    price_version = models.PositiveIntegerField()
    difference_nusd = models.BigIntegerField()
    transaction_id = models.UUIDField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("request_id", "price_version"), name="correction_once_per_request_and_price"
            ),
            models.CheckConstraint(condition=~Q(difference_nusd=0), name="correction_never_zero"),
        )

    def __str__(self) -> str:
        return f"{self.request_id.hex} {self.difference_nusd}"
