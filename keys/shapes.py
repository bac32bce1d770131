"""What keys, their limits and plans look like in the management API, and how a body states limits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any

from rest_framework import serializers

from foundation import clock
from foundation.errors import PlatformError
from foundation.rest.bodies import Fields
from foundation.rest.fields import Flag, Instant, NanoUsd, PublicId, Text, Usd, Whole
from keys import limiting
from keys.effective import HARD, Limits
from keys.models import ApiKey, LimitFields, Plan, ScopeLimits
from tenants.models import Organization
from tenants.roles import PLATFORM, Right

_COLUMNS = frozenset(field.name for field in fields(Limits))
_OTHER_NAMES = {"budget_nusd": "budget_nano_usd"}

SCOPES = (*(str(right) for right in Right), PLATFORM)


@dataclass(frozen=True, slots=True)
class Described:
    """A key with what limits it by itself, and its secret in the one answer that may hold it."""

    key: ApiKey
    limits: ScopeLimits | None
    secret: str = ""
    replaces: ApiKey | None = None

    @property
    def status(self) -> str:
        """Whether the key itself works; its project or organisation may still stop it."""
        if self.key.revoked_at is not None:
            return "revoked"
        return "expired" if self.key.expires_at is not None and self.key.expires_at <= clock.now() else "active"


def described(organization: Organization, keys: Iterable[ApiKey]) -> list[Described]:
    """Return keys of one organisation with their limits, by one query."""
    found = list(keys)
    rows = ScopeLimits.objects.for_organization(organization).filter(
        scope=ScopeLimits.Scope.KEY, scope_id__in={key.lineage for key in found}
    )
    limits = {row.scope_id: row for row in rows}
    return [Described(key, limits.get(key.lineage)) for key in found]


class LimitsFacts(serializers.Serializer[LimitFields]):
    """In every limit null is unlimited and 0 blocks."""

    rpm = serializers.IntegerField(read_only=True, allow_null=True, help_text="Requests per minute.")
    tpm = serializers.IntegerField(read_only=True, allow_null=True, help_text="Tokens per minute.")
    input_tpm = serializers.IntegerField(read_only=True, allow_null=True, help_text="Input tokens per minute.")
    output_tpm = serializers.IntegerField(read_only=True, allow_null=True, help_text="Output tokens per minute.")
    concurrency = serializers.IntegerField(read_only=True, allow_null=True, help_text="Requests at once.")
    max_output_tokens = serializers.IntegerField(read_only=True, allow_null=True, help_text="Per request.")
    allowed_models = serializers.ListField(
        child=serializers.CharField(), read_only=True, allow_null=True, help_text="Null allows every model, [] none."
    )
    budget_nano_usd = NanoUsd("budget_nusd", allow_null=True)
    budget_usd = Usd("budget_nusd", allow_null=True)
    budget_window = serializers.ChoiceField(LimitFields.Window.choices, read_only=True, allow_null=True)
    budget_mode = serializers.ChoiceField(LimitFields.Mode.choices, read_only=True)
    budget_carries_over = serializers.BooleanField(read_only=True)


def _limit(meaning: str) -> Whole:
    return Whole(default=None, allow_null=True, max_value=limiting.LARGEST, help_text=meaning)


class LimitsChange(Fields):
    """Limits as a whole: what is absent or null is unlimited, 0 blocks."""

    rpm = _limit("Requests per minute.")
    tpm = _limit("Tokens per minute.")
    input_tpm = _limit("Input tokens per minute.")
    output_tpm = _limit("Output tokens per minute.")
    concurrency = _limit("Requests at once.")
    max_output_tokens = _limit("Per request.")
    allowed_models = serializers.ListField(
        child=Text(max_length=200),
        default=None,
        allow_null=True,
        max_length=500,
        help_text="Null allows every model, [] none.",
    )
    budget_nano_usd = Whole(default=None, allow_null=True, help_text="What may be spent in each window.")
    budget_window = serializers.ChoiceField(
        LimitFields.Window.choices, default=None, allow_null=True, help_text="Stated with the budget, or not at all."
    )
    budget_mode = serializers.ChoiceField(
        LimitFields.Mode.choices,
        default=HARD,
        help_text="`hard` refuses what it has no room for, `soft` only notifies, `shadow` counts what it would refuse.",
    )
    budget_carries_over = Flag(
        default=False, help_text="The next window gets what is unspent, at most one window's worth."
    )

    def validate(self, attrs: Any) -> Any:
        """Refuse half a budget."""
        if (attrs["budget_nano_usd"] is None) != (attrs["budget_window"] is None):
            raise serializers.ValidationError({"budget_window": ["A budget has an amount and a window."]})
        return attrs


@contextmanager
def named_as_in_bodies() -> Iterator[None]:
    """Name a limit at fault as the body does, and not as the column."""
    try:
        yield
    except PlatformError as error:
        if error.param in _COLUMNS:
            error.param = "limits." + _OTHER_NAMES.get(error.param, error.param)
        raise


def limits_of(change: Mapping[str, Any] | None) -> Limits:
    """Return what a checked LimitsChange says; nothing says nothing."""
    if change is None:
        return Limits()
    facts = dict(change)
    return Limits.of({**facts, "budget_nusd": facts.pop("budget_nano_usd")})


class KeyFacts(serializers.Serializer[Described]):
    """A key. Its secret is in the answer that made it, and nowhere else."""

    id = PublicId("key", source="key.pk", read_only=True)
    name = serializers.CharField(source="key.name", read_only=True)
    kind = serializers.ChoiceField(ApiKey.Kind.choices, source="key.kind", read_only=True)
    mode = serializers.ChoiceField(ApiKey.Mode.choices, source="key.mode", read_only=True)
    display = serializers.CharField(source="key.display", read_only=True, help_text="What may be shown of the secret.")
    status = serializers.ChoiceField(["active", "expired", "revoked"], read_only=True)
    project = PublicId("proj", source="key.project_id", read_only=True, allow_null=True)
    scopes = serializers.ListField(child=serializers.CharField(), source="key.scopes", read_only=True)
    limits = LimitsFacts(read_only=True, allow_null=True)
    plan = PublicId("plan", source="limits.plan_id", read_only=True, allow_null=True)
    metadata = serializers.DictField(child=serializers.CharField(), source="key.metadata", read_only=True)
    created_by = PublicId("user", source="key.created_by_id", read_only=True, allow_null=True)
    created_at = Instant(source="key.created_at", read_only=True)
    expires_at = Instant(source="key.expires_at", read_only=True, allow_null=True)
    last_used_at = Instant(source="key.last_used_at", read_only=True, allow_null=True)
    revoked_at = Instant(source="key.revoked_at", read_only=True, allow_null=True)
    revoked_reason = serializers.CharField(source="key.revoked_reason", read_only=True)
    replaced_by = PublicId("key", source="key.replaced_by_id", read_only=True, allow_null=True)


class IssuedFacts(KeyFacts):
    """A new key with its secret: the only time that it is shown."""

    secret = serializers.CharField(read_only=True)
    replaces = PublicId("key", source="replaces.pk", read_only=True, allow_null=True)


class PlanFacts(serializers.Serializer[Plan]):
    """Limits under a name, to be given to projects and keys."""

    id = PublicId("plan", read_only=True)
    name = serializers.CharField(read_only=True)
    slug = serializers.CharField(read_only=True)
    owner = serializers.SerializerMethodField(help_text="`platform` plans are the operators' and can only be read.")
    limits = LimitsFacts(source="*", read_only=True)
    created_at = Instant(read_only=True)

    def get_owner(self, plan: Plan) -> str:
        """Whose it is."""
        return "platform" if plan.organization_id is None else "organization"
