"""What operators are asked about an organisation."""

from __future__ import annotations

from decimal import Decimal

from django import forms

from tenants.asking import AskForm
from tenants.models import User


class FoundForm(AskForm):
    """A new organisation."""

    name = forms.CharField(max_length=200)
    slug = forms.CharField(
        max_length=63,
        label="Short name",
        help_text="Lower-case words joined by hyphens. It stands in addresses and stays.",
    )
    time_zone = forms.CharField(
        initial="UTC", help_text="IANA name, such as Europe/Berlin. Budgets turn over at its midnight."
    )
    owner = forms.ModelChoiceField(User.objects.filter(is_active=True).order_by("email"), required=False)


class SettingsForm(AskForm):
    """What may be changed about one."""

    name = forms.CharField(max_length=200)
    time_zone = forms.CharField(help_text="IANA name, such as Europe/Berlin. Budgets turn over at its midnight.")
    allowed_origins = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Web pages whose scripts may use its keys, one a line: https://app.example.com. A * is any page.",
    )

    def clean_allowed_origins(self) -> list[str]:
        """Take the lines apart."""
        return str(self.cleaned_data["allowed_origins"]).split()


class AdjustForm(AskForm):
    """How much money to move, and why."""

    amount = forms.DecimalField(
        max_digits=16, decimal_places=9, label="Amount in USD", help_text="With a minus to take credit away."
    )
    reason = forms.CharField(max_length=500, help_text="Kept in the ledger and in the audit trail.")

    def clean_amount(self) -> Decimal:
        """Refuse to move nothing."""
        amount: Decimal = self.cleaned_data["amount"]
        if not amount:
            raise forms.ValidationError("The amount must not be zero.")
        return amount
