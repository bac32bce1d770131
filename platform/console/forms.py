"""What people fill in about keys, translated into what the domain asks for."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms

from foundation import clock
from foundation.errors import PlatformError
from foundation.money import nano
from inference.models import Model
from keys.effective import Limits
from keys.limiting import LARGEST
from keys.models import LimitFields
from tenants.models import Organization, Project

NEVER, ON_A_DATE = "never", "date"
LIFETIMES = (
    (NEVER, "Never"),
    ("7", "In 7 days"),
    ("30", "In 30 days"),
    ("90", "In 90 days"),
    ("365", "In a year"),
    (ON_A_DATE, "On a date…"),
)
OVERLAPS = (
    ("0", "At once"),
    ("3600", "In an hour"),
    ("86400", "In a day"),
    ("604800", "In a week"),
)


class KeyForm(forms.Form):
    """A new key: its name, its project, its end, and its limits. An empty limit is none."""

    name = forms.CharField(max_length=200, help_text="What it is for, such as “Search, production”.")
    project = forms.ModelChoiceField(Project.objects.none(), empty_label=None)
    lifetime = forms.ChoiceField(choices=LIFETIMES, initial=NEVER, label="Expires")
    expires_on = forms.DateField(
        required=False, label="Last day", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    rpm = forms.IntegerField(required=False, min_value=0, max_value=LARGEST, label="Requests per minute")
    tpm = forms.IntegerField(required=False, min_value=0, max_value=LARGEST, label="Tokens per minute")
    concurrency = forms.IntegerField(required=False, min_value=0, max_value=LARGEST, label="Requests at once")
    max_output_tokens = forms.IntegerField(
        required=False, min_value=0, max_value=LARGEST, label="Output tokens per request"
    )
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

    LIMITS = ("rpm", "tpm", "concurrency", "max_output_tokens")

    def __init__(self, organization: Organization, *args: Any, **kwargs: Any) -> None:
        """Offer the organisation's projects and the models of the catalogue."""
        super().__init__(*args, **kwargs)
        self._zone = ZoneInfo(organization.time_zone)
        projects = Project.objects.for_organization(organization).filter(archived_at=None).order_by("created_at")
        # Django gives a form copies of its fields, typed as what all fields have.
        self.fields["project"].queryset = projects  # type: ignore[attr-defined]  # see above
        models = Model.objects.filter(enabled=True).values_list("id", "display_name")
        self.fields["allowed_models"].choices = list(models)  # type: ignore[attr-defined]  # see above

    def clean(self) -> dict[str, Any]:
        """Ask for the date where the key is to end on one."""
        cleaned = super().clean() or {}
        if cleaned.get("lifetime") == ON_A_DATE and not cleaned.get("expires_on") and not self.has_error("expires_on"):
            self.add_error("expires_on", "Choose the last day on which the key works.")
        return cleaned

    @property
    def has_limits(self) -> bool:
        """Say whether the part with the limits was used, so that it is shown open again."""
        return any(self[name].data for name in (*self.LIMITS, "budget", "allowed_models")) if self.is_bound else False

    def expires_at(self) -> datetime | None:
        """Return the key's end: the end of its last day in the organisation's time zone."""
        lifetime = self.cleaned_data["lifetime"]
        if lifetime == NEVER:
            return None
        if lifetime == ON_A_DATE:
            following = self.cleaned_data["expires_on"] + timedelta(days=1)
            return datetime.combine(following, time.min, self._zone)
        return clock.now() + timedelta(days=int(lifetime))

    def limits(self) -> Limits | None:
        """Return the limits that were filled in, or nothing if none was."""
        chosen = self.cleaned_data
        numbers = {name: chosen[name] for name in self.LIMITS}
        models = frozenset(chosen["allowed_models"]) or None
        budget = None if chosen["budget"] is None else nano(chosen["budget"])
        if budget is None and models is None and all(number is None for number in numbers.values()):
            return None
        window = None if budget is None else chosen["budget_window"] or LimitFields.Window.MONTH.value
        limits = Limits(**numbers, allowed_models=models, budget_nusd=budget, budget_window=window)
        if budget is None:
            return limits
        mode = chosen["budget_mode"] or LimitFields.Mode.HARD.value
        return replace(limits, budget_mode=mode, budget_carries_over=chosen["budget_carries_over"])


class RotateForm(forms.Form):
    """How long the old key goes on working beside the new one."""

    overlap = forms.ChoiceField(choices=OVERLAPS, initial="86400", label="The old key stops working")


class RevokeForm(forms.Form):
    """Why a key is revoked, for the audit trail."""

    reason = forms.CharField(
        max_length=200, required=False, label="Reason", help_text="Kept in the audit trail. Optional."
    )


def blame(form: forms.Form, error: PlatformError) -> None:
    """Show a refusal of the domain at the field that it is about, if the form has it."""
    names = {"budget_nusd": "budget", "expires_at": "expires_on"}
    field = names.get(error.param or "", error.param)
    form.add_error(field if field in form.fields else None, error.message)
