"""Which request an Idempotency-Key stands for. What was asked and answered is not kept: content never is."""

from __future__ import annotations

from django.db import models


class IdempotencyClaim(models.Model):
    """One key of one organization. Its outcome is the usage record of `request_id`, written by the settlement."""

    organization = models.ForeignKey("tenants.Organization", on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=255)
    # A keyed hash of endpoint and body: equal bodies can be told, and nothing about one can be found out.
    fingerprint = models.BinaryField(max_length=32)
    request_id = models.UUIDField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("organization", "key"), name="idempotency_claim_once_per_key"),)
        indexes = (models.Index(fields=("created_at",), name="idempotency_claim_by_age"),)

    def __str__(self) -> str:
        return self.request_id.hex
