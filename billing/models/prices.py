"""What a model costs: versions with an effective date, and a rate for each kind of unit."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from billing import units
from foundation import clock, ids
from foundation.ids import uuid7


class Price(models.Model):
    """One version of a model's price. It applies from `effective_from` until a later version does."""

    PREFIX = "price"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    model = models.CharField(max_length=128, help_text="The model's id in the catalogue.")
    version = models.PositiveIntegerField()
    effective_from = models.DateTimeField()
    free = models.BooleanField(
        default=False, help_text="Costs nothing, and says so: a model without a price is refused."
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(version__gte=1), name="price_versions_start_at_one"),
            models.UniqueConstraint(fields=("model", "version"), name="price_version_once_per_model"),
            models.UniqueConstraint(fields=("model", "effective_from"), name="price_one_version_per_instant"),
        )

    def __str__(self) -> str:
        return f"{self.model} v{self.version}"

    @property
    def public_id(self) -> str:
        """The id as the outside world sees it."""
        return ids.public(self.PREFIX, self.id)


class PriceComponent(models.Model):
    """The rate of one kind of unit: US dollars per million tokens, characters, seconds, images or requests."""

    class Kind(models.TextChoices):
        INPUT = "input"
        CACHED_INPUT = "cached_input"
        OUTPUT = "output"
        REQUESTS = "requests"
        CHARACTERS = "characters"
        SECONDS = "seconds"
        IMAGES = "images"

    price = models.ForeignKey(Price, on_delete=models.CASCADE, related_name="components")
    kind = models.CharField(max_length=32, choices=Kind)
    usd_per_million = models.DecimalField(max_digits=18, decimal_places=9)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(usd_per_million__gte=0), name="price_never_negative"),
            models.UniqueConstraint(fields=("price", "kind"), name="price_one_rate_per_kind"),
        )

    def __str__(self) -> str:
        return units.described(self.kind, self.usd_per_million)
