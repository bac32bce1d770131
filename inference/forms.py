"""What operators are asked about prices."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldBooleanSwitchWidget

from billing import units
from foundation.ids import uuid7
from inference import credentials
from inference.gateway.offering import sells_no_tokens
from inference.models import Model, Pool
from tenants.asking import AskForm


def _rate(label: str, help_text: str = "") -> forms.DecimalField:
    return forms.DecimalField(
        required=False, min_value=0, max_digits=18, decimal_places=9, label=label, help_text=help_text
    )


class PriceForm(AskForm):
    """A new version of a model's price."""

    model = forms.ModelChoiceField(Model.objects.order_by("id"))
    input = _rate("Input, per million tokens")
    cached_input = _rate("Cached input, per million tokens", "Empty: what other input costs.")
    output = _rate("Output, per million tokens")
    requests = _rate("Per request", "A fee for each request, beside whatever else is charged.")
    characters = _rate("Speech, per million characters")
    seconds = _rate("Transcription, per minute", "Charged by the second.")
    images = _rate("Per image")
    free = forms.BooleanField(required=False, help_text="Costs nothing. Leave the rates empty then.")
    effective_from = forms.SplitDateTimeField(
        required=False, label="Applies from", help_text="UTC. Empty: from now on."
    )

    def clean(self) -> dict[str, Any]:
        """Refuse a price that would leave a model's answers unsold because a rate of their tokens was forgotten."""
        asked: dict[str, Any] = super().clean() or self.cleaned_data
        model, rates = asked.get("model"), {kind for kind in units.UNITS if asked.get(kind) is not None}
        if asked["free"] or model is None:
            return asked
        if sells_no_tokens(model.input_modalities, model.output_modalities, rates):
            raise forms.ValidationError(
                "A model that answers with text needs a rate for input and one for output. Enter 0 where one costs "
                "nothing."
            )
        return asked

    @staticmethod
    def components(asked: dict[str, Any]) -> dict[str, Decimal]:
        """Return the rates that were filled in, per million of each."""
        return {kind: units.per_million(kind, asked[kind]) for kind in units.UNITS if asked[kind] is not None}


class PoolForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic when it runs
    """A pool with its engines' credential, which is written and never shown."""

    credential = forms.CharField(
        required=False,
        max_length=4096,
        widget=UnfoldAdminPasswordWidget(render_value=False, attrs={"autocomplete": "new-password"}),
        label="New credential",
        help_text="The engines' API key. It is kept encrypted and never shown again; empty leaves it as it is.",
    )
    forget_credential = forms.BooleanField(
        required=False, label="Remove the credential", widget=UnfoldBooleanSwitchWidget()
    )

    class Meta:
        model = Pool
        fields = (
            "name",
            "engine",
            "weight",
            "max_concurrency",
            "enabled",
            "credential_env",
            "connect_ms",
            "first_byte_ms",
            "between_tokens_ms",
            "total_ms",
        )

    def clean_credential(self) -> str:
        """Take what can stand in a header, where it can be sealed."""
        secret: str = self.cleaned_data["credential"]
        if secret and not (secret.isascii() and secret.isprintable() and " " not in secret):
            raise forms.ValidationError("A credential has printable ASCII characters only, without blanks.")
        if secret and not credentials.keyring():
            raise forms.ValidationError("Set CREDENTIAL_KEYS first: without a key nothing can be encrypted.")
        return secret

    def clean(self) -> dict[str, Any]:
        """Have one credential at most."""
        given = super().clean() or self.cleaned_data
        wanted, forgotten = given.get("credential"), given.get("forget_credential")
        if wanted and forgotten:
            raise forms.ValidationError("Enter a new credential or remove it, not both.")
        if given.get("credential_env") and (wanted or (self.instance.sealed_credential and not forgotten)):
            raise forms.ValidationError("A credential comes from here or from an environment variable, not from both.")
        return given

    def save(self, commit: bool = True) -> Pool:
        """Seal what was entered."""
        # A new pool's formsets took its id away, so that the database would give it one.
        self.instance.pk = self.instance.pk or uuid7()
        if self.cleaned_data["credential"]:
            self.instance.sealed_credential = credentials.seal(self.instance, self.cleaned_data["credential"])
        elif self.cleaned_data["forget_credential"]:
            self.instance.sealed_credential = ""
        pool: Pool = super().save(commit)
        return pool
