"""What people fill in about keys and their organisation, translated into what the domain asks for."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django import forms

from console.limit_forms import LimitsForm
from foundation import clock
from foundation.errors import PlatformError
from keys.effective import Limits
from tenants.errors import WiderThanOwn
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


class KeyForm(LimitsForm):
    """A new key: its name, its project, its end, and its limits. An empty limit is none."""

    name = forms.CharField(max_length=200, help_text="What it is for, such as “Search, production”.")
    project = forms.ModelChoiceField(Project.objects.none(), empty_label=None)
    lifetime = forms.ChoiceField(choices=LIFETIMES, initial=NEVER, label="Expires")
    expires_on = forms.DateField(
        required=False, label="Last day", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def __init__(self, organization: Organization, *args: Any, **kwargs: Any) -> None:
        """Offer the organisation's projects."""
        super().__init__(*args, **kwargs)
        self._zone = ZoneInfo(organization.time_zone)
        projects = Project.objects.for_organization(organization).filter(archived_at=None).order_by("created_at")
        # Django gives a form copies of its fields, typed as what all fields have.
        self.fields["project"].queryset = projects  # type: ignore[attr-defined]  # see above

    def clean(self) -> dict[str, Any]:
        """Ask for the date where the key is to end on one."""
        cleaned = super().clean() or {}
        if cleaned.get("lifetime") == ON_A_DATE and not cleaned.get("expires_on") and not self.has_error("expires_on"):
            self.add_error("expires_on", "Choose the last day on which the key works.")
        return cleaned

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
        limits = self.stated()
        return None if limits == Limits() else limits


class SettingsForm(forms.Form):
    """What an organisation's admins may change about it."""

    name = forms.CharField(max_length=200)
    time_zone = forms.ChoiceField(
        help_text="Days, weeks and months of budgets and statements begin at its midnight.",
    )
    allowed_origins = forms.CharField(
        required=False,
        label="Allowed origins",
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "placeholder": "https://app.example.com"}),
        help_text="One a line: a scheme and a host, and the port where it is not the usual one. * is every page.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the time zones that there are."""
        super().__init__(*args, **kwargs)
        zones = [(name, name.replace("_", " ")) for name in sorted(available_timezones())]
        self.fields["time_zone"].choices = zones  # type: ignore[attr-defined]  # typed as what all fields have

    def clean_allowed_origins(self) -> list[str]:
        """Take the lines apart."""
        return str(self.cleaned_data["allowed_origins"]).split()


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
    # Its name is for programs; here it stands at the field.
    message = "This limit is wider than the one above it." if isinstance(error, WiderThanOwn) else error.message
    form.add_error(field if field in form.fields else None, message)
