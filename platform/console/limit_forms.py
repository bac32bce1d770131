"""What people fill in about limits, translated into what the domain asks for. An empty limit is none; 0 blocks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django import forms

from console import figures
from foundation import money
from inference.models import Model
from keys import subjects
from keys.effective import Limits
from keys.limiting import LARGEST
from keys.models import LimitFields, ScopeLimits

NUMBERS = ("rpm", "tpm", "input_tpm", "output_tpm", "concurrency", "max_output_tokens")
"""The limits that are whole numbers, as they are named everywhere."""


def _number(label: str) -> forms.IntegerField:
    return forms.IntegerField(required=False, min_value=0, max_value=LARGEST, label=label)


class LimitsForm(forms.Form):
    """Every limit that a scope may have."""

    rpm = _number("Requests per minute")
    tpm = _number("Tokens per minute")
    input_tpm = _number("Input tokens per minute")
    output_tpm = _number("Output tokens per minute")
    concurrency = _number("Requests at once")
    max_output_tokens = _number("Output tokens per request")
    budget = forms.DecimalField(required=False, min_value=0, max_digits=16, decimal_places=9, label="Budget in USD")
    budget_window = forms.ChoiceField(
        required=False, choices=LimitFields.Window.choices, initial=LimitFields.Window.MONTH, label="Per"
    )
    budget_mode = forms.ChoiceField(
        required=False, choices=LimitFields.Mode.choices, initial=LimitFields.Mode.HARD, label="When it is used up"
    )
    budget_carries_over = forms.BooleanField(required=False, label="Carry what is unspent over to the next window")
    allowed_models = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="Models",
        help_text="None ticked means every model.",
    )

    def __init__(self, *args: Any, also: Iterable[str] = (), **kwargs: Any) -> None:
        """Offer the models of the catalogue, and those of `also`, which may have left it."""
        super().__init__(*args, **kwargs)
        models = dict(Model.objects.filter(enabled=True).values_list("id", "display_name"))
        models |= {name: name for name in sorted(also) if name not in models}
        # Django gives a form copies of its fields, typed as what all fields have.
        self.fields["allowed_models"].choices = list(models.items())  # type: ignore[attr-defined]  # see above

    @property
    def has_limits(self) -> bool:
        """Say whether the part with the limits was used, so that it is shown open again."""
        return any(self[name].data for name in (*NUMBERS, "budget", "allowed_models")) if self.is_bound else False

    def stated(self) -> Limits:
        """Return the limits that were filled in."""
        chosen = self.cleaned_data
        numbers = {name: chosen[name] for name in NUMBERS}
        models = frozenset(chosen["allowed_models"]) or None
        if chosen["budget"] is None:
            return Limits(**numbers, allowed_models=models)
        return Limits(
            **numbers,
            allowed_models=models,
            budget_nusd=money.nano(chosen["budget"]),
            budget_window=chosen["budget_window"] or LimitFields.Window.MONTH.value,
            budget_mode=chosen["budget_mode"] or LimitFields.Mode.HARD.value,
            budget_carries_over=chosen["budget_carries_over"],
        )


class ScopeLimitsForm(LimitsForm):
    """The limits that a scope has, to be changed, or tried on what it asked for in a period of the past."""

    no_model = forms.BooleanField(required=False, label="No model at all")
    period = forms.ChoiceField(
        required=False,
        choices=[(period.name, period.title) for period in figures.PERIODS.values()],
        initial="7d",
        label="Try on",
    )

    def stated(self) -> Limits:
        """Return the limits; no model at all is a list with nothing on it."""
        limits = super().stated()
        if not self.cleaned_data["no_model"]:
            return limits
        return replace(limits, allowed_models=frozenset())

    def past(self) -> figures.Period:
        """Return the period to try them on."""
        return figures.PERIODS[self.cleaned_data["period"] or "7d"]


def filled_in(limits: Limits) -> dict[str, Any]:
    """Return limits as the fields of a form."""
    fields: dict[str, Any] = {name: getattr(limits, name) for name in NUMBERS}
    fields["allowed_models"] = sorted(limits.allowed_models or ())
    fields["no_model"] = limits.allowed_models == frozenset()
    if limits.budget_nusd is not None:
        budget = money.usd(limits.budget_nusd)
        # Without the zeros behind it, but never as 1E+2.
        fields["budget"] = f"{budget:f}".rstrip("0").rstrip(".")
        fields["budget_window"] = limits.budget_window
        fields["budget_mode"] = limits.budget_mode
        fields["budget_carries_over"] = limits.budget_carries_over
    return fields


class SubjectForm(forms.Form):
    """Whose limits to look at or set: somebody who is no project and no key."""

    scope = forms.ChoiceField(
        choices=[choice for choice in ScopeLimits.Scope.choices if choice[0] in subjects.SCOPES], label="Limit"
    )
    subject = forms.CharField(
        required=False,
        max_length=subjects.LONGEST,
        label="Which",
        help_text="A customer’s name, a model’s or member’s id, an address. Empty: each that has none of its own.",
    )
