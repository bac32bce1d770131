"""What limits of scopes, their spending, notices and simulations look like in the management API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rest_framework import serializers

from billing.models import BudgetNotice
from foundation.rest.fields import Instant, NanoUsd, PublicId, Usd
from inference.limits import spending
from inference.limits.notices import Told
from inference.limits.simulation import Refusal
from inference.limits.spending import Spending
from keys import scopes
from keys.models import LimitFields, ScopeLimits
from keys.shapes import LimitsFacts
from tenants.models import Organization


@dataclass(frozen=True, slots=True)
class Limited:
    """Somebody or something, what limits it by itself, and how full its budgets are."""

    scope: str
    subject: str
    row: ScopeLimits | None
    is_own: bool
    budgets: list[Spending]


def limited(organization: Organization, scope: str, subject: str, row: ScopeLimits | None, *, is_own: bool) -> Limited:
    """Put together what is shown of one."""
    budgets = spending.of(organization, [scopes.of(row, "" if is_own else subject)])[0] if row is not None else []
    return Limited(scope, subject, row, is_own, budgets)


def rows(organization: Organization, found: list[ScopeLimits]) -> list[Limited]:
    """Put together what is shown of several rows, by one query for all that was spent."""
    budgets = spending.of(organization, [scopes.of(row) for row in found])
    return [
        Limited(row.scope, scopes.subject(row), row, True, spent) for row, spent in zip(found, budgets, strict=True)
    ]


class BudgetFacts(serializers.Serializer[Spending]):
    """A budget and its present window. `left` is what new requests could still reserve of it."""

    window = serializers.ChoiceField(LimitFields.Window.choices, source="cap.window", read_only=True)
    mode = serializers.ChoiceField(LimitFields.Mode.choices, source="cap.mode", read_only=True)
    carries_over = serializers.BooleanField(source="cap.carries_over", read_only=True)
    limit_nano_usd = NanoUsd("limit_nusd", help_text="With what was carried over.")
    limit_usd = Usd("limit_nusd")
    carried_nano_usd = NanoUsd("carried_nusd", help_text="Known from the window's first request on.")
    carried_usd = Usd("carried_nusd")
    spent_nano_usd = NanoUsd("window.spent_nusd")
    spent_usd = Usd("window.spent_nusd")
    reserved_nano_usd = NanoUsd("window.held_nusd", help_text="By requests in flight.")
    reserved_usd = Usd("window.held_nusd")
    left_nano_usd = NanoUsd("left_nusd")
    left_usd = Usd("left_nusd")
    percent = serializers.IntegerField(read_only=True, help_text="Spent, rounded down.")
    starts_at = Instant(source="window.starts_at", read_only=True, allow_null=True)
    resets_at = Instant(
        source="window.ends_at", read_only=True, allow_null=True, help_text="Null if it has not begun or never ends."
    )
    shadow_refused = serializers.IntegerField(
        source="window.shadow_refused", read_only=True, help_text="Requests that a shadow budget would have refused."
    )
    shadow_refused_nano_usd = NanoUsd("window.shadow_refused_nusd", help_text="Their worst cases.")


class LimitedFacts(serializers.Serializer[Limited]):
    """Limits of a scope by itself; all scopes above it count as well."""

    id = PublicId(ScopeLimits.PREFIX, source="row.pk", read_only=True, allow_null=True)
    scope = serializers.ChoiceField(ScopeLimits.Scope.choices, read_only=True)
    subject = serializers.CharField(
        read_only=True, help_text="Its public id, or the customer, model or address; `each` for those without any."
    )
    is_own = serializers.BooleanField(read_only=True, help_text="False where none are set, or those for each apply.")
    limits = LimitsFacts(source="row", read_only=True, allow_null=True)
    plan = PublicId("plan", source="row.plan_id", read_only=True, allow_null=True)
    budgets = BudgetFacts(many=True, read_only=True)


class NoticeFacts(serializers.Serializer[Told]):
    """A mark that a budget has passed: half, four fifths or all of it is spent."""

    id = PublicId(BudgetNotice.PREFIX, source="notice.pk", read_only=True)
    scope = serializers.CharField(source="notice.purse.scope", read_only=True)
    name = serializers.CharField(read_only=True)
    window = serializers.CharField(source="notice.purse.window", read_only=True)
    mode = serializers.ChoiceField(BudgetNotice.Mode.choices, source="notice.mode", read_only=True)
    percent = serializers.IntegerField(source="notice.percent", read_only=True)
    limit_nano_usd = NanoUsd("notice.limit_nusd")
    limit_usd = Usd("notice.limit_nusd")
    spent_nano_usd = NanoUsd("notice.spent_nusd", help_text="When the mark was passed.")
    spent_usd = Usd("notice.spent_nusd")
    at = Instant(source="notice.at", read_only=True)
    mailed_at = Instant(source="notice.mailed_at", read_only=True, allow_null=True)


class RefusalFacts(serializers.Serializer[Refusal]):
    """A request that would have been refused."""

    request = PublicId("req", source="past.id", read_only=True)
    at = Instant(source="past.at", read_only=True)
    limit = serializers.CharField(read_only=True, help_text="The limit that would have refused it.")
    key = PublicId("key", source="past.key", read_only=True)
    customer = serializers.CharField(source="past.customer", read_only=True)
    model = serializers.CharField(source="past.model", read_only=True)
    cost_nano_usd = NanoUsd("past.cost_nusd")
    cost_usd = Usd("past.cost_nusd")


class CountFacts(serializers.Serializer[Any]):
    """How many of the refused requests were somebody's."""

    name = serializers.CharField(read_only=True)
    refused = serializers.IntegerField(read_only=True)


class OutcomeFacts(serializers.Serializer[Any]):
    """What limits would have meant for the requests of a period."""

    requests = serializers.IntegerField(read_only=True, help_text="That were replayed.")
    cost_nano_usd = NanoUsd("cost_nusd")
    cost_usd = Usd("cost_nusd")
    refused = serializers.IntegerField(read_only=True)
    refused_cost_nano_usd = NanoUsd("refused_cost_nusd", help_text="What those cost that would have been refused.")
    refused_cost_usd = Usd("refused_cost_nusd")
    by_limit = CountFacts(many=True, read_only=True)
    by_key = CountFacts(many=True, read_only=True, help_text="The 20 that would have been hit most.")
    by_customer = CountFacts(many=True, read_only=True, help_text="As above.")
    by_model = CountFacts(many=True, read_only=True, help_text="As above.")
    first = RefusalFacts(many=True, read_only=True, help_text="The first 20.")
    is_complete = serializers.BooleanField(read_only=True, help_text="False if there were too many requests.")
    replayed_until = Instant(read_only=True)
