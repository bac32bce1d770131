"""The management API's limits of every scope, what is spent of them, and what others would have refused."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.urls import URLPattern, path
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import spending
from billing.models import BudgetNotice
from foundation import ids
from foundation.errors import InvalidRequest, NotFound
from foundation.rest import pages
from foundation.rest.bodies import Fields, body, query
from foundation.rest.fields import Instant, PublicId, Text
from foundation.rest.pages import Page, PageQuery
from inference.limits import notices, shapes, simulation, targets
from inference.limits.shapes import LimitedFacts, NoticeFacts, OutcomeFacts
from inference.limits.simulation import SHOWN, Outcome
from keys import limiting, scopes
from keys.limiting import Target
from keys.models import ApiKey, Plan, ScopeLimits
from keys.planning import offered_to
from keys.shapes import LimitsChange, limits_of, named_as_in_bodies
from tenants.rest import idempotency
from tenants.rest.resources import OrganizationResource
from tenants.roles import Right


class LimitsQuery(PageQuery):
    """Which limits."""

    scope = serializers.ChoiceField(ScopeLimits.Scope.choices, required=False)


class NewLimits(Fields):
    """Limits of a scope as a whole, in place of those that it has."""

    limits = LimitsChange()
    plan = PublicId("plan", required=False, allow_null=True, help_text="Counts beside them.")


class ManyLimits(OrganizationResource):
    """All limits that are set in the organization."""

    rights: ClassVar = {"GET": Right.KEYS_READ}

    @extend_schema(
        operation_id="limits_list", summary="List limits", parameters=[LimitsQuery], responses=pages.shape(LimitedFacts)
    )
    def get(self, request: Request) -> Response:
        """Takes the right `keys.read`. Newest first, each with what is spent of its budgets."""
        asked = query(LimitsQuery, request)
        rows = ScopeLimits.objects.for_organization(self.organization).select_related("plan")
        if "scope" in asked:
            rows = rows.filter(scope=asked["scope"])
        page = pages.newest_first(rows, asked, prefix=ScopeLimits.PREFIX)
        return pages.answer(LimitedFacts, Page(shapes.rows(self.organization, list(page.rows)), page.next_cursor))


class LimitsOfOne(OrganizationResource):
    """Limits of one scope. What is not set by itself is unlimited here; the scopes above it count as well."""

    http_method_names = ["get", "head", "put", "delete"]

    @abstractmethod
    def target(self, name: str) -> Target:
        """Return whose limits they are."""

    def get(self, request: Request, name: str = "") -> Response:
        """Takes the right `keys.read`."""
        query(Fields, request)
        return self._shown(self.target(name))

    def put(self, request: Request, name: str = "") -> Response:
        """Replaces them as a whole; gateways heed them within a second. None may be wider than those above."""
        target, asked = self.target(name), body(NewLimits, request)
        with named_as_in_bodies():
            limiting.set_limits(
                target=target, limits=limits_of(asked["limits"]), plan=self._plan(asked.get("plan")), actor=self.actor
            )
        return self._shown(target)

    def delete(self, request: Request, name: str = "") -> Response:
        """Takes them away, and the plan. Where there are none it is done already."""
        target = self.target(name)
        with suppress(NotFound):
            limiting.remove_limits(target=target, actor=self.actor)
        return Response(status=204)

    def _plan(self, plan_id: UUID | None) -> Plan | None:
        if plan_id is None:
            return None
        found = offered_to(self.organization).filter(pk=plan_id).first()
        if found is None:
            raise NotFound("There is no such plan.", param="plan")
        return found

    def _shown(self, target: Target) -> Response:
        row, is_own = scopes.applying(target)
        shown = shapes.limited(self.organization, targets.scope(target), targets.name(target), row, is_own=is_own)
        return Response(LimitedFacts(shown).data)


def _documented[R: type[LimitsOfOne]](name: str, of: str) -> Callable[[R], R]:
    """Give the three operations of a resource their names."""
    decorate: Callable[[R], R] = extend_schema_view(
        get=extend_schema(
            operation_id=f"limits_{name}_retrieve", summary=f"Read the limits of {of}", responses=LimitedFacts
        ),
        put=extend_schema(
            operation_id=f"limits_{name}_replace",
            summary=f"Set the limits of {of}",
            request=NewLimits,
            responses=LimitedFacts,
        ),
        delete=extend_schema(
            operation_id=f"limits_{name}_remove", summary=f"Take the limits of {of} away", responses={204: None}
        ),
    )
    return decorate


def _written_with(right: Right) -> dict[str, Right]:
    return {"GET": Right.KEYS_READ, "PUT": right, "DELETE": right}


@_documented("organization", "the organization")
class OrganizationLimits(LimitsOfOne):
    """The organization's own limits: operators set them."""

    rights: ClassVar = _written_with(Right.ORGANIZATION_MANAGE)

    def target(self, name: str) -> Target:
        """Return the organisation."""
        return self.organization


@_documented("project", "a project")
class ProjectLimits(LimitsOfOne):
    """Limits of a project, over all of its keys."""

    rights: ClassVar = _written_with(Right.PROJECTS_MANAGE)

    def target(self, name: str) -> Target:
        """Return the project of this id."""
        return targets.find(self.organization, "project", name)


@_documented("key", "a key")
class KeyLimits(LimitsOfOne):
    """Limits of a key and of those that it was rotated to."""

    rights: ClassVar = _written_with(Right.KEYS_MANAGE)

    def target(self, name: str) -> Target:
        """Return the key of this id."""
        return targets.find(self.organization, "key", name)


class SubjectLimits(LimitsOfOne):
    """Base of limits of what a request is of beside its key. Without limits of its own, those for each apply."""

    rights: ClassVar = _written_with(Right.ORGANIZATION_MANAGE)
    scope: ClassVar[str]

    def target(self, name: str) -> Target:
        """Return the one of this name."""
        return targets.find(self.organization, self.scope, name)


@_documented("member", "a member")
class MemberLimits(SubjectLimits):
    """Limits of a member, over all keys that they made."""

    scope = "member"


@_documented("customer", "an end customer")
class CustomerLimits(SubjectLimits):
    """Limits of an end customer, by the name in `x-turnpike-customer`."""

    scope = "customer"


@_documented("model", "a model")
class ModelLimits(SubjectLimits):
    """Limits of a model, over all keys of the organization."""

    scope = "model"


@_documented("address", "a client address")
class AddressLimits(SubjectLimits):
    """Limits of a client address; an IPv6 one is its /64."""

    scope = "address"


@_documented("each", "each member, customer, model or address")
class EachLimits(LimitsOfOne):
    """Limits of each member, customer, model or address that has none of its own, singly."""

    rights: ClassVar = _written_with(Right.ORGANIZATION_MANAGE)

    def target(self, name: str) -> Target:
        """Return the template of this scope."""
        return targets.each(self.organization, name)


class Question(Fields):
    """Which limits, on whose requests, and when."""

    scope = serializers.ChoiceField(ScopeLimits.Scope.choices)
    subject = Text(
        default="",
        allow_blank=True,
        max_length=200,
        help_text="The public id of the project, the key or the member; the customer or the model; absent for each.",
    )
    limits = LimitsChange()
    since = Instant()
    until = Instant()


class Simulation(OrganizationResource):
    """What limits would have refused."""

    rights: ClassVar = {"POST": Right.USAGE_READ}

    @extend_schema(
        operation_id="limits_simulate", summary="Try limits on past requests", request=Question, responses=OutcomeFacts
    )
    @idempotency.once
    def post(self, request: Request) -> Response:
        """Takes the right `usage.read`. Replays at most 31 days of usage under these limits alone; nothing is changed.

        A budget is judged as a hard one. Counters are empty at `since`, tokens count as they were used.
        """
        asked = body(Question, request)
        for name in ("since", "until"):
            if not 1971 <= asked[name].year <= 9000:
                raise InvalidRequest(f"{name}: There was no such time for requests.", param=name)
        with named_as_in_bodies():
            outcome = simulation.run(
                organization=self.organization,
                target=self._target(asked["scope"], asked["subject"]),
                limits=limits_of(asked["limits"]),
                since=asked["since"],
                until=asked["until"],
            )
        return Response(OutcomeFacts(_outcome(outcome, asked["until"])).data)

    def _target(self, scope: str, subject: str) -> Target:
        named_by_id = {ScopeLimits.Scope.ORGANIZATION, ScopeLimits.Scope.PROJECT, ScopeLimits.Scope.KEY}
        if scope in named_by_id or subject:
            return targets.find(self.organization, scope, subject)
        return targets.each(self.organization, scope)


class Notices(OrganizationResource):
    """Marks that budgets have passed."""

    rights: ClassVar = {"GET": Right.KEYS_READ}

    @extend_schema(
        operation_id="budget_notices_list",
        summary="List notices of budgets",
        parameters=[PageQuery],
        responses=pages.shape(NoticeFacts),
    )
    def get(self, request: Request) -> Response:
        """Takes the right `keys.read`. Half, four fifths and all of a hard or soft budget, once each in a window."""
        asked = query(PageQuery, request)
        page = pages.newest_first(spending.notices(self.organization), asked, prefix=BudgetNotice.PREFIX)
        return pages.answer(NoticeFacts, Page(notices.name_all(self.organization, page.rows), page.next_cursor))


def _outcome(outcome: Outcome, until: datetime) -> dict[str, Any]:
    return {
        **{name: getattr(outcome, name) for name in ("requests", "cost_nusd", "refused", "refused_cost_nusd", "first")},
        "by_limit": _counts(outcome.by_limit),
        "by_key": _counts(Counter({ids.public(ApiKey.PREFIX, key): n for key, n in outcome.by_key.items()})),
        "by_customer": _counts(outcome.by_customer),
        "by_model": _counts(outcome.by_model),
        "is_complete": outcome.cut_at is None,
        "replayed_until": outcome.cut_at or until,
    }


def _counts(counter: Counter[str]) -> list[dict[str, Any]]:
    return [{"name": name, "refused": refused} for name, refused in counter.most_common(SHOWN)]


urlpatterns: list[URLPattern] = [
    path("limits", ManyLimits.as_view(), name="limits"),
    path("limits/organization", OrganizationLimits.as_view(), name="organization-limits"),
    path("limits/simulate", Simulation.as_view(), name="limits-simulation"),
    path("limits/projects/<str:name>", ProjectLimits.as_view(), name="project-limits"),
    path("limits/keys/<str:name>", KeyLimits.as_view(), name="key-limits"),
    path("limits/members/<str:name>", MemberLimits.as_view(), name="member-limits"),
    path("limits/customers/<path:name>", CustomerLimits.as_view(), name="customer-limits"),
    path("limits/models/<path:name>", ModelLimits.as_view(), name="model-limits"),
    path("limits/addresses/<path:name>", AddressLimits.as_view(), name="address-limits"),
    path("limits/each/<str:name>", EachLimits.as_view(), name="each-limits"),
    path("budget-notices", Notices.as_view(), name="budget-notices"),
]
