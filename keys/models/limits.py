"""Limits: as a plan to share, and as what one organisation, project or key has."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from foundation import clock, ids
from keys import subjects
from tenants.models import Organization
from tenants.tenancy import TenantQuerySet


class LimitFields(models.Model):
    """The limits themselves. In every one of them nothing means unlimited and 0 blocks."""

    class Window(models.TextChoices):
        """How long a budget lasts before it is full again."""

        REQUEST = "request", "Each request"
        FIVE_HOURS = "5h", "Five hours"
        DAY = "day", "Day"
        WEEK = "week", "Week"
        MONTH = "month", "Month"
        # From the day of the month on which the organisation was created to the same day of the next.
        BILLING_PERIOD = "billing_period", "Billing period"
        LIFETIME = "lifetime", "For ever"

    class Mode(models.TextChoices):
        """What a budget does when it is used up."""

        HARD = "hard", "Refuse requests"
        SOFT = "soft", "Only notify"
        # A rehearsal: what a hard budget would refuse is counted.
        SHADOW = "shadow", "Only count what it would refuse"

    rpm = models.PositiveIntegerField("requests per minute", null=True, blank=True)
    tpm = models.PositiveBigIntegerField("tokens per minute", null=True, blank=True)
    input_tpm = models.PositiveBigIntegerField("input tokens per minute", null=True, blank=True)
    output_tpm = models.PositiveBigIntegerField("output tokens per minute", null=True, blank=True)
    concurrency = models.PositiveIntegerField("requests at once", null=True, blank=True)
    max_output_tokens = models.PositiveIntegerField("output tokens per request", null=True, blank=True)
    # An empty list allows no model at all; nothing allows every model.
    allowed_models = ArrayField(models.CharField(max_length=200), null=True, blank=True)
    budget_nusd = models.PositiveBigIntegerField("budget in nano-dollars", null=True, blank=True)
    budget_window = models.CharField(max_length=16, choices=Window.choices, null=True, blank=True)
    budget_mode = models.CharField(max_length=8, choices=Mode.choices, default=Mode.HARD, db_default="hard")
    # What is unspent in one window may be spent in the next: at most one window's worth.
    budget_carries_over = models.BooleanField("budget carries over", default=False, db_default=False)

    class Meta:
        abstract = True
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(budget_nusd=None, budget_window=None)
                | models.Q(
                    budget_nusd__isnull=False,
                    budget_window__isnull=False,
                    budget_window__in=["request", "5h", "day", "week", "month", "billing_period", "lifetime"],
                ),
                name="%(class)s_budget_has_a_window",
            ),
            models.CheckConstraint(
                condition=models.Q(budget_mode="hard")
                | models.Q(
                    budget_mode__in=["soft", "shadow"],
                    budget_nusd__isnull=False,
                    budget_window__in=["5h", "day", "week", "month", "billing_period", "lifetime"],
                ),
                name="%(class)s_budget_mode_has_a_window_to_count_in",
            ),
            models.CheckConstraint(
                condition=models.Q(budget_carries_over=False)
                | models.Q(
                    budget_nusd__isnull=False, budget_window__in=["5h", "day", "week", "month", "billing_period"]
                ),
                name="%(class)s_budget_carries_over_to_a_next_window",
            ),
        ]


class Plan(LimitFields):
    """Limits under a name. One without an organisation is the platform's and may be given to any."""

    PREFIX = "plan"

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, null=True, blank=True, related_name="plans"
    )
    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=63)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    objects = TenantQuerySet["Plan"].as_manager()

    class Meta:
        constraints: ClassVar = [
            *LimitFields.Meta.constraints,
            models.UniqueConstraint(
                fields=["organization", "slug"], name="plan_slug_unique_in_organization", nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def public_id(self) -> str:
        """The id as the outside world sees it."""
        return ids.public(self.PREFIX, self.id)


class ScopeLimits(LimitFields):
    """What one organisation, project, key or subject may: limits of its own, a plan, or both; the tighter counts.

    Subjects (subjects.py) are members, end customers, models and client addresses. Their row for `each` applies to
    every one that has no row of its own, with counters and budgets of its own.
    """

    PREFIX = "lim"

    class Scope(models.TextChoices):
        """What the limits are of."""

        ORGANIZATION = "organization", "Organization"
        PROJECT = "project", "Project"
        KEY = "key", "Key"
        MEMBER = "member", "Member"
        CUSTOMER = "customer", "End customer"
        MODEL = "model", "Model"
        ADDRESS = "address", "Client address"

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    # Without an index of its own: the planner would take it for the one below, and read all limits of an organisation.
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="scope_limits", db_index=False
    )
    scope = models.CharField(max_length=16, choices=Scope.choices)
    # The id of the organisation or the project; of a key, its lineage, so that rotating keeps limits and budgets;
    # of a subject, the UUID made of its text, or the nil UUID for each.
    scope_id = models.UUIDField()
    # The text of a subject, to be shown; "each" for the template.
    label = models.CharField(max_length=128, blank=True, default="", db_default="")
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, null=True, blank=True, related_name="scope_limits")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    objects = TenantQuerySet["ScopeLimits"].as_manager()

    class Meta:
        verbose_name_plural = "scope limits"
        constraints: ClassVar = [
            *LimitFields.Meta.constraints,
            models.UniqueConstraint(fields=["organization", "scope", "scope_id"], name="scope_limits_once_per_scope"),
            models.CheckConstraint(
                condition=models.Q(scope="organization", scope_id=models.F("organization_id"))
                | models.Q(scope__in=["project", "key", "member", "customer", "model", "address"]),
                name="scope_limits_of_an_organization_are_its_own",
            ),
            models.CheckConstraint(
                condition=models.Q(scope__in=["organization", "project", "key"], label="")
                & ~models.Q(scope_id=subjects.EACH)
                | models.Q(scope__in=["member", "customer", "model", "address"]) & ~models.Q(label=""),
                name="scope_limits_of_subjects_have_a_label",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.label or self.scope_id}"

    @property
    def public_id(self) -> str:
        """The id as the outside world sees it."""
        return ids.public(self.PREFIX, self.id)
