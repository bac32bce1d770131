"""What was answered to requests that named an Idempotency-Key, so that repeating them changes nothing."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from foundation import clock, ids
from tenants.models.organizations import Organization
from tenants.tenancy import TenantQuerySet


class IdempotentAnswer(models.Model):
    """One request by its key, and its answer without any secret. Written with what it did, or not at all."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    # Empty where the request was about the platform, not about one organisation.
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, null=True, related_name="+", db_index=False
    )
    # The public id of the person or the key: nobody gets an answer that was somebody else's.
    caller = models.CharField(max_length=64)
    key = models.CharField(max_length=255)
    fingerprint = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField(default=0)
    answer = models.TextField(default="")
    withheld = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=clock.now)

    objects = TenantQuerySet["IdempotentAnswer"].as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["organization", "created_at"], name="idempotent_answer_by_age")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organization", "caller", "key"], name="idempotent_answer_once_per_key", nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        return f"{self.caller} {self.key}"
