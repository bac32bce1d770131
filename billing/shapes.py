"""What prices, the wallet and statements look like in the management API."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Never

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from billing import units
from billing.models import Price, PriceComponent
from billing.statements import Line, Statement
from billing.wallet import Balance
from foundation.money import nano
from foundation.rest.fields import Instant, NanoUsd, Usd


@extend_schema_field({"type": "integer"})
class Nano(serializers.Field[Decimal, Never, int, Any]):
    """Exact dollars as whole nano-dollars."""

    def to_representation(self, value: Decimal) -> int:
        return nano(value)


class RateFacts(serializers.Serializer[PriceComponent]):
    """What a million units of one kind cost."""

    kind = serializers.ChoiceField(PriceComponent.Kind.choices, read_only=True)
    per_million_nano_usd = Nano(source="usd_per_million", read_only=True)
    per_million_usd = serializers.DecimalField(18, 9, source="usd_per_million", read_only=True)
    text = serializers.SerializerMethodField(help_text="The same for people: `$0.006 per minute`.")

    def get_text(self, rate: PriceComponent) -> str:
        return units.described(rate.kind, rate.usd_per_million)


class PriceFacts(serializers.Serializer[Price]):
    """A model's price from an instant on, until a later version starts."""

    model = serializers.CharField(read_only=True)
    version = serializers.IntegerField(read_only=True)
    effective_from = Instant(read_only=True)
    free = serializers.BooleanField(read_only=True)
    rates = RateFacts(source="components", many=True, read_only=True)


class WalletFacts(serializers.Serializer[Balance]):
    """What an organization has. `available` is what new requests can still reserve: posted + credit line - held."""

    posted_nano_usd = NanoUsd("posted_nusd")
    posted_usd = Usd("posted_nusd")
    held_nano_usd = NanoUsd("held_nusd")
    held_usd = Usd("held_nusd")
    credit_line_nano_usd = NanoUsd("credit_line_nusd")
    credit_line_usd = Usd("credit_line_nusd")
    available_nano_usd = NanoUsd("available_nusd")
    available_usd = Usd("available_nusd")


class StatementFacts(serializers.Serializer[Statement]):
    """One month of an organization: opening + credits + usage + corrections = closing. Usage is negative."""

    month = serializers.CharField(source="name", read_only=True)
    starts_at = Instant(read_only=True)
    ends_at = Instant(read_only=True)
    opening_nano_usd = NanoUsd("opening_nusd")
    opening_usd = Usd("opening_nusd")
    credits_nano_usd = NanoUsd("credits_nusd")
    credits_usd = Usd("credits_nusd")
    usage_nano_usd = NanoUsd("usage_nusd")
    usage_usd = Usd("usage_nusd")
    corrections_nano_usd = NanoUsd("corrections_nusd")
    corrections_usd = Usd("corrections_nusd")
    closing_nano_usd = NanoUsd("closing_nusd")
    closing_usd = Usd("closing_nusd")


class LineFacts(serializers.Serializer[Line]):
    """What the charged requests of one model used and cost in a month."""

    model = serializers.CharField(read_only=True)
    requests = serializers.IntegerField(read_only=True)
    prompt_tokens = serializers.IntegerField(read_only=True)
    cached_tokens = serializers.IntegerField(read_only=True)
    completion_tokens = serializers.IntegerField(read_only=True)
    cost_nano_usd = NanoUsd("cost_nusd")
    cost_usd = Usd("cost_nusd")


class StatementWithUsageFacts(StatementFacts):
    """A statement with its usage by model, which adds up to the statement's usage."""

    usage_by_model = serializers.SerializerMethodField()

    @extend_schema_field(LineFacts(many=True))
    def get_usage_by_model(self, statement: Statement) -> Any:
        """Return the lines that the view has read."""
        return LineFacts(self.context["usage"], many=True).data
