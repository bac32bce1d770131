"""The models that this installation offers, as callers see them."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from foundation import clock


def text_only() -> list[str]:
    """Return the modality that every language model has."""
    return ["text"]


class Model(models.Model):
    """One entry of the catalogue. Its id is what callers write into `model`."""

    id = models.CharField(primary_key=True, max_length=128)
    display_name = models.CharField(max_length=128)
    description = models.TextField(blank=True)
    owned_by = models.CharField(max_length=64, default="turnpike")
    input_modalities = ArrayField(
        models.CharField(max_length=16), default=text_only, help_text="What it reads: text, image, audio."
    )
    output_modalities = ArrayField(
        models.CharField(max_length=16),
        default=text_only,
        help_text="What it makes: text, embeddings, scores, audio, image.",
    )
    context_length = models.PositiveIntegerField(help_text="Tokens of input and output together.")
    max_output_tokens = models.PositiveIntegerField(help_text="The most that one answer may have.")
    max_audio_seconds = models.PositiveIntegerField(
        null=True, blank=True, help_text="The longest recording that its engines take; empty: as long as 25 MB can be."
    )
    tags = ArrayField(models.CharField(max_length=32), default=list, blank=True)
    aliases = ArrayField(models.CharField(max_length=128), default=list, blank=True)
    enabled = models.BooleanField(default=True)
    deprecated_at = models.DateTimeField(null=True, blank=True)
    sunset_at = models.DateTimeField(null=True, blank=True, help_text="From then on the model is gone.")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(context_length__gte=1, max_output_tokens__gte=1), name="model_lengths_at_least_one"
            ),
        )

    def __str__(self) -> str:
        return self.id
