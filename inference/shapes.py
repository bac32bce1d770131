"""What models and usage look like in the management API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from billing.models import UsageRecord
from billing.shapes import PriceFacts
from foundation.rest.fields import Instant, NanoUsd, PublicId, Usd
from inference.offers import Availability, Offer


class ModelFacts(serializers.Serializer[Offer]):
    """A model on offer. Without a price it cannot be called."""

    id = serializers.CharField(source="model.pk", read_only=True, help_text="What requests write into `model`.")
    display_name = serializers.CharField(source="model.display_name", read_only=True)
    description = serializers.CharField(source="model.description", read_only=True)
    owned_by = serializers.CharField(source="model.owned_by", read_only=True)
    input_modalities = serializers.ListField(
        child=serializers.CharField(),
        source="model.input_modalities",
        read_only=True,
        help_text="What it reads: text, image, audio.",
    )
    output_modalities = serializers.ListField(
        child=serializers.CharField(),
        source="model.output_modalities",
        read_only=True,
        help_text="What it makes: text, embeddings, scores, audio, image.",
    )
    context_length = serializers.IntegerField(
        source="model.context_length", read_only=True, help_text="Tokens of input and output together."
    )
    max_output_tokens = serializers.IntegerField(source="model.max_output_tokens", read_only=True)
    tags = serializers.ListField(child=serializers.CharField(), source="model.tags", read_only=True)
    aliases = serializers.ListField(
        child=serializers.CharField(), source="model.aliases", read_only=True, help_text="Other names that call it."
    )
    created_at = Instant(source="model.created_at", read_only=True)
    deprecated_at = Instant(source="model.deprecated_at", read_only=True, allow_null=True)
    sunset_at = Instant(source="model.sunset_at", read_only=True, allow_null=True, help_text="From then on it is gone.")
    endpoints = serializers.ListField(
        child=serializers.CharField(), read_only=True, help_text="The paths at which it is offered."
    )
    availability = serializers.ChoiceField([str(value) for value in Availability], read_only=True)
    price = PriceFacts(read_only=True, allow_null=True)


class UsageFacts(serializers.Serializer[UsageRecord]):
    """One request: what it consumed, how it ended, what it cost. Never what was said."""

    id = PublicId("req", source="request_id", read_only=True)
    project = PublicId("proj", source="project_id", read_only=True)
    key = PublicId("key", source="key_id", read_only=True)
    customer = serializers.CharField(read_only=True)
    model = serializers.CharField(read_only=True)
    endpoint = serializers.CharField(read_only=True)
    streamed = serializers.BooleanField(read_only=True)
    status = serializers.IntegerField(read_only=True, help_text="The HTTP status of the answer.")
    outcome = serializers.ChoiceField(UsageRecord.Outcome.choices, read_only=True)
    usage_source = serializers.CharField(read_only=True, help_text="Where the token counts come from.")
    prompt_tokens = serializers.IntegerField(read_only=True)
    cached_tokens = serializers.IntegerField(read_only=True)
    completion_tokens = serializers.IntegerField(read_only=True)
    unit = serializers.CharField(
        read_only=True, help_text="What is charged beside tokens: seconds, characters, images. Empty: nothing is."
    )
    quantity = serializers.IntegerField(read_only=True, help_text="How much of the unit.")
    cost_nano_usd = NanoUsd("cost_nusd")
    cost_usd = Usd("cost_nusd")
    price_version = serializers.IntegerField(read_only=True, allow_null=True)
    transaction = PublicId("txn", source="transaction_id", read_only=True, allow_null=True)
    ttft_ms = serializers.IntegerField(read_only=True, allow_null=True, help_text="Time to the first token.")
    latency_ms = serializers.IntegerField(read_only=True, allow_null=True)
    started_at = Instant(read_only=True)
    settled_at = Instant(source="at", read_only=True)


class SumFacts(serializers.Serializer[Any]):
    """Sums over requests."""

    requests = serializers.IntegerField(read_only=True)
    errors = serializers.IntegerField(read_only=True)  # type: ignore[assignment]  # fields leave the class's namespace
    prompt_tokens = serializers.IntegerField(read_only=True)
    cached_tokens = serializers.IntegerField(read_only=True)
    completion_tokens = serializers.IntegerField(read_only=True)
    seconds = serializers.IntegerField(read_only=True, help_text="Of sound that was written down.")
    characters = serializers.IntegerField(read_only=True, help_text="That were spoken.")
    images = serializers.IntegerField(read_only=True)
    cost_nano_usd = NanoUsd("cost_nusd")
    cost_usd = Usd("cost_nusd")


class GroupFacts(SumFacts):
    """Sums over the requests of one group."""

    group = serializers.CharField(
        read_only=True, help_text="The start of the hour or day (UTC), the model, or the id of the key or project."
    )


class SummaryFacts(serializers.Serializer[Any]):
    """Usage summed up by something, over the full hours (or days) from `since` to `until`."""

    by = serializers.CharField(read_only=True)
    since = Instant(read_only=True)
    until = Instant(read_only=True)
    data = GroupFacts(many=True, read_only=True)  # type: ignore[assignment]  # fields leave the class's namespace
    is_complete = serializers.BooleanField(read_only=True, help_text="False if the smallest groups were left out.")
    total = SumFacts(read_only=True)
