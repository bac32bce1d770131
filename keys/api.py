"""The management API's keys and plans."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Q, QuerySet
from django.urls import URLPattern, path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from foundation import clock
from foundation.errors import InvalidRequest, NotFound
from foundation.rest import pages
from foundation.rest.bodies import Fields, body, query
from foundation.rest.fields import Instant, PublicId, Text, Whole
from foundation.rest.pages import Page, PageQuery
from keys import describing, issuing, limiting, planning, shapes
from keys.effective import Limits
from keys.issuing import Issued
from keys.models import ApiKey, Plan
from keys.shapes import Described, IssuedFacts, KeyFacts, LimitsChange, PlanFacts, limits_of
from tenants.models import Organization, Project
from tenants.rest import idempotency
from tenants.rest.resources import OrganizationResource, public_id
from tenants.roles import Right

USUAL_OVERLAP_SECONDS = 3600


class KeyQuery(PageQuery):
    """Which keys."""

    kind = serializers.ChoiceField(ApiKey.Kind.choices, required=False)
    project = PublicId("proj", required=False)
    status = serializers.ChoiceField(["active", "expired", "revoked"], required=False)


class NewKey(Fields):
    """What it takes to make a key: a project for inference, scopes for management."""

    name = Text(max_length=200)
    kind = serializers.ChoiceField(ApiKey.Kind.choices, default=ApiKey.Kind.INFERENCE)
    mode = serializers.ChoiceField(ApiKey.Mode.choices, default=ApiKey.Mode.LIVE)
    project = PublicId("proj", required=False, help_text="Of a key for inference.")
    scopes = serializers.ListField(
        child=serializers.ChoiceField(shapes.SCOPES),
        required=False,
        max_length=50,
        help_text="Of a key for management: none that the caller does not have.",
    )
    expires_at = Instant(default=None, allow_null=True)
    metadata = serializers.DictField(
        child=Text(allow_blank=True), required=False, help_text="Up to 16 short texts by name."
    )
    limits = LimitsChange(required=False, allow_null=True, help_text="Of a key for inference.")
    plan = PublicId("plan", required=False, allow_null=True, help_text="Counts beside the key's own limits.")


class KeyChange(Fields):
    """What may change of a key; what is absent stays. Limits and metadata are replaced as a whole."""

    name = Text(required=False, max_length=200)
    metadata = serializers.DictField(child=Text(allow_blank=True), required=False)
    limits = LimitsChange(required=False, allow_null=True)
    plan = PublicId("plan", required=False, allow_null=True)


class Rotation(Fields):
    """How to rotate a key."""

    overlap_seconds = Whole(
        default=USUAL_OVERLAP_SECONDS, max_value=issuing.LONGEST_OVERLAP_SECONDS, help_text="The old key works on."
    )


class Revocation(Fields):
    """Why a key is revoked."""

    reason = Text(default="", allow_blank=True, max_length=200)


class KeyResource(OrganizationResource):
    """Base of the resources about keys."""

    rights: ClassVar = {"GET": Right.KEYS_READ, "POST": Right.KEYS_MANAGE, "PATCH": Right.KEYS_MANAGE}

    def rows(self) -> QuerySet[ApiKey]:
        """Return the organisation's keys."""
        return ApiKey.objects.for_organization(self.organization).select_related("organization", "project")

    def key(self, text: str, *, to_change: bool = False) -> ApiKey:
        """Return the organisation's key of this id; to change it, with nobody else changing it meanwhile."""
        rows = self.rows().select_for_update(no_key=True, of=("self",)) if to_change else self.rows()
        key = rows.filter(pk=public_id(ApiKey.PREFIX, text)).first()
        if key is None:
            raise NotFound
        return key

    def described(self, key: ApiKey) -> Described:
        """Return the key as it is shown."""
        return shapes.described(self.organization, [key])[0]

    def issued(self, issued: Issued, replaces: ApiKey | None = None) -> Response:
        """Answer with a new key and its secret."""
        shown = Described(issued.key, self.described(issued.key).limits, issued.secret, replaces)
        return Response(IssuedFacts(shown).data, status=201)


class Keys(KeyResource):
    """The organization's keys."""

    @extend_schema(
        operation_id="keys_list", summary="List keys", parameters=[KeyQuery], responses=pages.shape(KeyFacts)
    )
    def get(self, request: Request) -> Response:
        """Takes the right `keys.read`. Newest first."""
        asked = query(KeyQuery, request)
        rows = self.rows()
        if "kind" in asked:
            rows = rows.filter(kind=asked["kind"])
        if "project" in asked:
            rows = rows.filter(project_id=asked["project"])
        if "status" in asked:
            rows = rows.filter(_has_status(asked["status"]))
        page = pages.newest_first(rows, asked, prefix=ApiKey.PREFIX)
        return pages.answer(KeyFacts, Page(shapes.described(self.organization, page.rows), page.next_cursor))

    @extend_schema(operation_id="keys_create", summary="Create a key", request=NewKey, responses={201: IssuedFacts})
    @idempotency.once
    def post(self, request: Request) -> Response:
        """Takes the right `keys.manage`, and for a management key all the scopes that it is to have.

        The secret is in this answer and can never be read again. Repeating the request with its Idempotency-Key is a
        409 with the code `idempotency_replay_without_secret`.
        """
        facts = body(NewKey, request)
        kind = facts.pop("kind")
        issue = self._issue_management if kind == ApiKey.Kind.MANAGEMENT else self._issue_inference
        with shapes.named_as_in_bodies():
            return self.issued(issue(facts))

    def _issue_inference(self, facts: dict[str, Any]) -> Issued:
        _refuse(facts, "scopes", because="An inference key has no scopes.")
        if "project" not in facts:
            raise InvalidRequest("project: An inference key belongs to a project.", param="project")
        project = _one(Project.objects.for_organization(self.organization), facts.pop("project"), "project")
        limits = limits_of(facts.pop("limits", None))
        plan = _plan(self.organization, facts.pop("plan", None))
        stated = None if limits == Limits() else limits
        return issuing.issue(project=project, actor=self.actor, limits=stated, plan=plan, **facts)

    def _issue_management(self, facts: dict[str, Any]) -> Issued:
        for name in ("project", "limits", "plan"):
            _refuse(facts, name, because="A management key belongs to no project and has no limits.")
        scopes = facts.pop("scopes", [])
        return issuing.issue_management(organization=self.organization, actor=self.actor, scopes=scopes, **facts)


class OneKey(KeyResource):
    """A key by its id."""

    @extend_schema(operation_id="keys_retrieve", summary="Read a key", responses=KeyFacts)
    def get(self, request: Request, key: str) -> Response:
        """Takes the right `keys.read`."""
        return Response(KeyFacts(self.described(self.key(key))).data)

    @extend_schema(operation_id="keys_update", summary="Change a key", request=KeyChange, responses=KeyFacts)
    def patch(self, request: Request, key: str) -> Response:
        """Takes the right `keys.manage`. Limits are heeded within a second."""
        found, change = self.key(key, to_change=True), body(KeyChange, request)
        if "name" in change:
            describing.rename(key=found, name=change["name"], actor=self.actor)
        if "metadata" in change:
            describing.annotate(key=found, metadata=change["metadata"], actor=self.actor)
        if "limits" in change or "plan" in change:
            self._limit(found, change)
        return Response(KeyFacts(self.described(found)).data)

    def _limit(self, key: ApiKey, change: dict[str, Any]) -> None:
        if key.kind == ApiKey.Kind.MANAGEMENT:
            raise InvalidRequest("A management key has no limits.", param="limits" if "limits" in change else "plan")
        now = self.described(key).limits
        limits, plan = (limiting.of(now), now.plan) if now else (Limits(), None)
        if "limits" in change:
            limits = limits_of(change["limits"])
        if "plan" in change:
            plan = _plan(self.organization, change["plan"])
        with shapes.named_as_in_bodies():
            limiting.set_limits(target=key, limits=limits, plan=plan, actor=self.actor)


class KeyRotation(KeyResource):
    """Replacing a key's secret."""

    @extend_schema(operation_id="keys_rotate", summary="Rotate a key", request=Rotation, responses={201: IssuedFacts})
    @idempotency.once
    def post(self, request: Request, key: str) -> Response:
        """Takes the right `keys.manage`. Makes a successor with the same limits and budgets; the old key works on for
        the overlap. The new secret is in this answer only, as with creating a key.
        """
        found, asked = self.key(key), body(Rotation, request)
        return self.issued(issuing.rotate(key=found, actor=self.actor, **asked), replaces=found)


class KeyRevocation(KeyResource):
    """Ending a key."""

    @extend_schema(operation_id="keys_revoke", summary="Revoke a key", request=Revocation, responses=KeyFacts)
    @idempotency.once
    def post(self, request: Request, key: str) -> Response:
        """Takes the right `keys.manage`. The key is useless within a second, for ever."""
        found, asked = self.key(key), body(Revocation, request)
        issuing.revoke(key=found, actor=self.actor, **asked)
        return Response(KeyFacts(self.described(found)).data)


class NewPlan(Fields):
    """What it takes to make a plan."""

    name = Text(max_length=200)
    slug = Text(max_length=63)
    limits = LimitsChange()


class PlanChange(Fields):
    """What may change of a plan; what is absent stays. Limits are replaced as a whole."""

    name = Text(required=False, max_length=200)
    limits = LimitsChange(required=False)


class Plans(OrganizationResource):
    """The platform's plans and the organization's own."""

    rights: ClassVar = {"GET": Right.KEYS_READ, "POST": Right.KEYS_MANAGE}

    @extend_schema(
        operation_id="plans_list", summary="List plans", parameters=[PageQuery], responses=pages.shape(PlanFacts)
    )
    def get(self, request: Request) -> Response:
        """Takes the right `keys.read`."""
        asked = query(PageQuery, request)
        return pages.answer(
            PlanFacts, pages.newest_first(planning.offered_to(self.organization), asked, prefix=Plan.PREFIX)
        )

    @extend_schema(operation_id="plans_create", summary="Create a plan", request=NewPlan, responses={201: PlanFacts})
    @idempotency.once
    def post(self, request: Request) -> Response:
        """Takes the right `keys.manage`."""
        facts = body(NewPlan, request)
        limits = limits_of(facts.pop("limits"))
        plan = planning.create(organization=self.organization, limits=limits, actor=self.actor, **facts)
        return Response(PlanFacts(plan).data, status=201)


class OnePlan(OrganizationResource):
    """A plan by its id."""

    rights: ClassVar = {"GET": Right.KEYS_READ, "PATCH": Right.KEYS_MANAGE}

    @extend_schema(operation_id="plans_retrieve", summary="Read a plan", responses=PlanFacts)
    def get(self, request: Request, plan: str) -> Response:
        """Takes the right `keys.read`."""
        return Response(PlanFacts(_one(planning.offered_to(self.organization), public_id(Plan.PREFIX, plan))).data)

    @extend_schema(operation_id="plans_update", summary="Change a plan", request=PlanChange, responses=PlanFacts)
    def patch(self, request: Request, plan: str) -> Response:
        """Takes the right `keys.manage`, and a plan of the organization's own. Whoever has it gets the new limits."""
        found, change = (
            _one(planning.offered_to(self.organization), public_id(Plan.PREFIX, plan)),
            body(PlanChange, request),
        )
        if "name" in change:
            planning.rename(plan=found, name=change["name"], actor=self.actor)
        if "limits" in change:
            planning.change(plan=found, limits=limits_of(change["limits"]), actor=self.actor)
        return Response(PlanFacts(found).data)


def _plan(organization: Organization, plan_id: UUID | None) -> Plan | None:
    return None if plan_id is None else _one(planning.offered_to(organization), plan_id, "plan")


def _one[Row: (Project, Plan)](rows: QuerySet[Row], row_id: UUID, param: str | None = None) -> Row:
    row = rows.filter(pk=row_id).first()
    if row is None:
        raise NotFound(f"There is no such {param}.", param=param) if param else NotFound
    return row


def _has_status(status: str) -> Q:
    if status == "revoked":
        return Q(revoked_at__isnull=False)
    ended = Q(expires_at__isnull=False, expires_at__lte=clock.now())
    return Q(revoked_at=None) & (ended if status == "expired" else ~ended)


def _refuse(facts: dict[str, Any], name: str, *, because: str) -> None:
    if facts.pop(name, None) not in (None, []):
        raise InvalidRequest(f"{name}: {because}", param=name)


urlpatterns: list[URLPattern] = [
    path("keys", Keys.as_view(), name="keys"),
    path("keys/<str:key>", OneKey.as_view(), name="key"),
    path("keys/<str:key>/rotate", KeyRotation.as_view(), name="key-rotation"),
    path("keys/<str:key>/revoke", KeyRevocation.as_view(), name="key-revocation"),
    path("plans", Plans.as_view(), name="plans"),
    path("plans/<str:plan>", OnePlan.as_view(), name="plan"),
]
