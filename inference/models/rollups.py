"""Usage by hour and by day, recomputed from the records (never added to), so that a repeat changes nothing."""

from __future__ import annotations

from django.db import models

from tenants.tenancy import TenantQuerySet


class Rollup(models.Model):
    """Sums over the requests that started in `[starts_at, next starts_at)`, UTC."""

    organization = models.ForeignKey("tenants.Organization", on_delete=models.PROTECT, related_name="+")
    project_id = models.UUIDField()
    key_id = models.UUIDField()
    model = models.CharField(max_length=128)
    starts_at = models.DateTimeField()
    requests = models.BigIntegerField()
    errors = models.BigIntegerField()
    prompt_tokens = models.BigIntegerField()
    cached_tokens = models.BigIntegerField()
    completion_tokens = models.BigIntegerField()
    seconds = models.BigIntegerField(db_default=0)
    characters = models.BigIntegerField(db_default=0)
    images = models.BigIntegerField(db_default=0)
    cost_nusd = models.BigIntegerField()

    objects = TenantQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.model} {self.starts_at:%Y-%m-%d %H:%M}"


class UsageHour(Rollup):
    """One hour of one key and model."""

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("organization", "starts_at", "project_id", "key_id", "model"), name="usage_hour_once"
            ),
        )
        # For the recomputation, which looks at all organizations.
        indexes = (models.Index(fields=("starts_at",), name="usage_hour_by_time"),)


class UsageDay(Rollup):
    """One UTC day of one key and model."""

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("organization", "starts_at", "project_id", "key_id", "model"), name="usage_day_once"
            ),
        )
        indexes = (models.Index(fields=("starts_at",), name="usage_day_by_time"),)
