"""What operators are asked about limits and plans."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms

from foundation import ids, money
from foundation.errors import PlatformError
from keys import limiting
from keys.effective import HARD, RATES, Limits
from keys.models import ApiKey, LimitFields, Plan
from keys.subjects import Subject
from tenants.asking import AskForm
from tenants.models import Organization, Project


class LimitsForm(AskForm):
    """Limits, as columns of plans and scopes have them; budgets in dollars."""

    rpm = forms.IntegerField(required=False, min_value=0, label="Requests per minute")
    tpm = forms.IntegerField(required=False, min_value=0, label="Tokens per minute")
    input_tpm = forms.IntegerField(required=False, min_value=0, label="Input tokens per minute")
    output_tpm = forms.IntegerField(required=False, min_value=0, label="Output tokens per minute")
    concurrency = forms.IntegerField(required=False, min_value=0, label="Requests at once")
    max_output_tokens = forms.IntegerField(required=False, min_value=0, label="Output tokens per request")
    allowed_models = forms.CharField(
        required=False, label="Allowed models", help_text="Ids with commas between them; empty allows every model."
    )
    budget = forms.DecimalField(required=False, min_value=0, max_digits=16, decimal_places=9, label="Budget in USD")
    budget_window = forms.ChoiceField(
        required=False, choices=[("", "–"), *LimitFields.Window.choices], label="Budget per"
    )
    budget_mode = forms.ChoiceField(
        required=False,
        choices=LimitFields.Mode.choices,
        initial=LimitFields.Mode.HARD,
        label="When it is used up",
    )
    budget_carries_over = forms.BooleanField(
        required=False,
        label="Carries over",
        help_text="The next window gets what is unspent, at most one window's worth.",
    )

    @staticmethod
    def initial_of(row: LimitFields) -> dict[str, Any]:
        """Return what the form shows of a row."""
        limits = limiting.of(row)
        budget = None if limits.budget_nusd is None else money.usd(limits.budget_nusd).normalize()
        return {
            **limits.columns(),
            "allowed_models": ", ".join(sorted(limits.allowed_models or ())),
            "budget": None if budget is None else f"{budget:f}",
        }

    @staticmethod
    def limits(asked: dict[str, Any]) -> Limits:
        """Return what was filled in."""
        models = frozenset(filter(None, (name.strip() for name in asked["allowed_models"].split(","))))
        budget: Decimal | None = asked["budget"]
        return Limits(
            **{name: asked[name] for name in (*RATES, "max_output_tokens")},
            allowed_models=models or None,
            budget_nusd=None if budget is None else money.nano(budget),
            budget_window=asked["budget_window"] or None,
            budget_mode=asked["budget_mode"] or HARD,
            budget_carries_over=asked["budget_carries_over"],
        )


class PlanForm(LimitsForm):
    """A new plan."""

    organization = forms.ModelChoiceField(
        Organization.objects.order_by("name"), required=False, help_text="Empty makes a plan of the platform."
    )
    name = forms.CharField(max_length=200)
    slug = forms.CharField(max_length=63, label="Short name", help_text="Lower-case words joined by hyphens; stays.")

    field_order = ("name", "slug", "organization")


class ScopeForm(LimitsForm):
    """New limits of something."""

    target = forms.CharField(
        label="Whose",
        help_text="The public id of an organization, a project or a key; or an organization's member, customer, model "
        "or address, as org_…/customer/alice, or org_…/customer/* for each that has no limits of its own.",
    )
    plan = forms.ModelChoiceField(Plan.objects.order_by("name"), required=False)

    field_order = ("target", "plan")

    def clean_target(self) -> limiting.Target:
        """Find what the id names."""
        text = str(self.cleaned_data["target"]).strip()
        if "/" in text:
            return _subject(text)
        for kind in (Organization, Project, ApiKey):
            try:
                return kind.objects.get(pk=ids.parse(kind.PREFIX, text))
            except (ValueError, kind.DoesNotExist):
                continue
        raise forms.ValidationError("There is no organization, project or key with this id.")


class OwnLimitsForm(LimitsForm):
    """Other limits of something that has some."""

    plan = forms.ModelChoiceField(Plan.objects.order_by("name"), required=False)

    field_order = ("plan",)


def _subject(text: str) -> Subject:
    organization_id, scope, name = [*text.split("/", 2), "", ""][:3]
    try:
        organization = Organization.objects.get(pk=ids.parse(Organization.PREFIX, organization_id))
        return limiting.subject(organization, scope, None if name == "*" else name)
    except (ValueError, Organization.DoesNotExist) as cause:
        raise forms.ValidationError("There is no organization with this id.") from cause
    except PlatformError as error:
        raise forms.ValidationError(error.message) from error
