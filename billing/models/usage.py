"""The usage sub-ledger: one record per request, partitioned by the month of its time-ordered id."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models


class UsageRecord(models.Model):
    """What one request consumed, how it ended, what it cost, and which transaction charged it.

    `request_id` is a UUIDv7: the partition key and the idempotency key at once. Never holds content.
    """

    class Outcome(models.TextChoices):
        COMPLETE = "complete"
        CLIENT_LEFT = "client_left"
        NO_OUTPUT = "no_output"
        UPSTREAM_ERROR = "upstream_error"
        TIMEOUT = "timeout"
        DRAINED = "drained"
        OUT_OF_CREDIT = "out_of_credit"
        EXPIRED = "expired"

    class Source(models.TextChoices):
        FINAL = "final"
        CONTINUOUS = "continuous"
        LOCAL = "local"
        NONE = "none"

    request_id = models.UUIDField(primary_key=True)
    organization = models.ForeignKey(
        "tenants.Organization", on_delete=models.PROTECT, related_name="usage", db_constraint=False, db_index=False
    )
    project_id = models.UUIDField()
    key_id = models.UUIDField()
    customer = models.CharField(max_length=128, blank=True)
    model = models.CharField(max_length=128)
    pool = models.CharField(max_length=128, blank=True)
    replica = models.CharField(max_length=255, blank=True)
    endpoint = models.CharField(max_length=64, blank=True)
    streamed = models.BooleanField(default=False)
    outcome = models.CharField(max_length=16, choices=Outcome)
    usage_source = models.CharField(max_length=16, choices=Source)
    status = models.PositiveSmallIntegerField(default=0)
    prompt_tokens = models.BigIntegerField(default=0)
    cached_tokens = models.BigIntegerField(default=0)
    completion_tokens = models.BigIntegerField(default=0)
    unit = models.CharField(max_length=16, blank=True, help_text="What is charged beside tokens: seconds, images …")
    quantity = models.BigIntegerField(default=0)
    price_version = models.PositiveIntegerField(null=True, blank=True)
    hold_nusd = models.BigIntegerField(default=0)
    cost_nusd = models.BigIntegerField(default=0)
    late = models.BooleanField(default=False, help_text="Settled after its hold had expired.")
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Replicas that were asked.")
    cache = models.CharField(max_length=16, default="none", help_text="What a response cache had to do with it.")
    transaction_id = models.UUIDField(null=True, blank=True, help_text="The ledger transaction that charged it.")
    purses = ArrayField(models.UUIDField(), default=list, help_text="The purses that paid: the wallet and budgets.")
    ttft_ms = models.PositiveIntegerField(null=True, blank=True)
    latency_ms = models.PositiveIntegerField(null=True, blank=True)
    started_at = models.DateTimeField()
    at = models.DateTimeField()

    class Meta:
        managed = False  # a partitioned table: written by hand in migration 0002
        db_table = "billing_usagerecord"
        indexes = (models.Index(fields=("organization", "request_id"), name="usage_by_organization"),)

    def __str__(self) -> str:
        return self.request_id.hex
