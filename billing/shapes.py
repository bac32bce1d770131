"""What prices and the wallet look like in the management API."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Never

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from billing.models import Price, PriceComponent
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
