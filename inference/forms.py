"""What operators are asked about prices."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms

from billing.models import PriceComponent
from inference.models import Model
from tenants.asking import AskForm


class PriceForm(AskForm):
    """A new version of a model's price."""

    model = forms.ModelChoiceField(Model.objects.order_by("id"))
    input = forms.DecimalField(required=False, min_value=0, max_digits=18, decimal_places=9, label="Input")
    cached_input = forms.DecimalField(
        required=False,
        min_value=0,
        max_digits=18,
        decimal_places=9,
        label="Cached input",
        help_text="Empty: what other input costs.",
    )
    output = forms.DecimalField(required=False, min_value=0, max_digits=18, decimal_places=9, label="Output")
    free = forms.BooleanField(required=False, help_text="Costs nothing. Leave the rates empty then.")
    effective_from = forms.SplitDateTimeField(
        required=False, label="Applies from", help_text="UTC. Empty: from now on."
    )

    @staticmethod
    def components(asked: dict[str, Any]) -> dict[str, Decimal]:
        """Return the rates that were filled in."""
        return {kind: asked[kind] for kind in PriceComponent.Kind.values if asked[kind] is not None}
