"""The management API's models and usage."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from django.urls import URLPattern, path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.models import UsageRecord
from foundation import clock, ids
from foundation.errors import InvalidRequest, NotFound
from foundation.rest import pages
from foundation.rest.bodies import Fields, query
from foundation.rest.fields import Instant, PublicId, Text
from foundation.rest.pages import Page, PageQuery
from inference import offers, summaries
from inference.shapes import ModelFacts, SummaryFacts, UsageFacts
from inference.summaries import By, Span, Sums
from tenants.rest.resources import OrganizationResource, Resource
from tenants.roles import Right

LONGEST = {By.HOUR: timedelta(days=31)}
LONGEST_OF_OTHERS = timedelta(days=366)
MOST_GROUPS = 1000
_PREFIXES = {By.KEY: "key", By.PROJECT: "proj"}


class Models(Resource):
    """What is on offer."""

    @extend_schema(
        operation_id="models_list", summary="List models", parameters=[PageQuery], responses=pages.shape(ModelFacts)
    )
    def get(self, request: Request) -> Response:
        """The models on offer, by id, with their price and whether they answer."""
        page = pages.by_name(offers.models(), query(PageQuery, request), field="id")
        return pages.answer(ModelFacts, Page(offers.of(page.rows), page.next_cursor))


class OneModel(Resource):
    """A model by its id, which may hold slashes."""

    @extend_schema(operation_id="models_retrieve", summary="Read a model", responses=ModelFacts)
    def get(self, request: Request, model: str) -> Response:
        """Retired and hidden models are not found; aliases are no ids."""
        found = offers.models().filter(pk=model).first() if model.isprintable() else None
        if found is None:
            raise NotFound
        return Response(ModelFacts(offers.of([found])[0]).data)


class UsageQuery(PageQuery):
    """Which requests."""

    since = Instant(required=False, help_text="Those that started then or later.")
    until = Instant(required=False, help_text="Those that started before.")
    project = PublicId("proj", required=False)
    key = PublicId("key", required=False)
    model = Text(required=False, max_length=128)
    outcome = serializers.ChoiceField(UsageRecord.Outcome.choices, required=False)


class Usage(OrganizationResource):
    """Single requests."""

    rights: ClassVar = {"GET": Right.USAGE_READ}

    @extend_schema(
        operation_id="usage_list", summary="List requests", parameters=[UsageQuery], responses=pages.shape(UsageFacts)
    )
    def get(self, request: Request) -> Response:
        """Takes the right `usage.read`. One record for each request that reached an engine, newest first."""
        asked = query(UsageQuery, request)
        rows = UsageRecord.objects.filter(organization_id=self.organization.pk, **_columns(asked))
        if "outcome" in asked:
            rows = rows.filter(outcome=asked["outcome"])
        # A request's id says when it started, and is what the table is partitioned by.
        if "since" in asked:
            rows = rows.filter(request_id__gte=_lowest(asked["since"], "since"))
        if "until" in asked:
            rows = rows.filter(request_id__lt=_lowest(asked["until"], "until"))
        return pages.answer(UsageFacts, pages.newest_first(rows, asked, prefix="req"))


class SummaryQuery(Fields):
    """What to sum up, and by what."""

    by = serializers.ChoiceField([str(by) for by in By], help_text="Hours and days are UTC's.")
    since = Instant(required=False, help_text="Usually a day before `until` by the hour, else 30 days before.")
    until = Instant(required=False, help_text="Usually now.")
    project = PublicId("proj", required=False)
    key = PublicId("key", required=False)
    model = Text(required=False, max_length=128)


class UsageSummary(OrganizationResource):
    """Usage in sums."""

    rights: ClassVar = {"GET": Right.USAGE_READ}

    @extend_schema(
        operation_id="usage_summary", summary="Sum usage up", parameters=[SummaryQuery], responses=SummaryFacts
    )
    def get(self, request: Request) -> Response:
        """Takes the right `usage.read`. Sums are over full hours: at most 31 days by the hour, 366 by anything else.

        By the day, and over more than 31 days, they are over full days.
        """
        asked = query(SummaryQuery, request)
        by = By(asked["by"])
        span = _span(by, asked)
        groups = summaries.summarize(self.organization, by=by, span=span, filters=_columns(asked))
        total = Sums()
        for sums in groups.values():
            total.add(asdict(sums))
        data = [{"group": _name(by, group), **asdict(sums)} for group, sums in list(groups.items())[:MOST_GROUPS]]
        facts = {"by": by, "since": span.starts_at, "until": span.ends_at, "data": data, "total": asdict(total)}
        return Response(SummaryFacts(facts | {"is_complete": len(groups) <= MOST_GROUPS}).data)


def _columns(asked: dict[str, Any]) -> dict[str, Any]:
    """Return the filters that are asked for as columns of records and rollups."""
    columns = {"project": "project_id", "key": "key_id", "model": "model"}
    return {column: asked[name] for name, column in columns.items() if name in asked}


def _span(by: By, asked: dict[str, Any]) -> Span:
    until = asked.get("until", clock.now())
    since = asked.get("since", until - timedelta(days=1 if by is By.HOUR else 30))
    for name, instant in (("since", since), ("until", until)):
        _lowest(instant, name)
    longest = LONGEST.get(by, LONGEST_OF_OTHERS)
    if not since < until or until - since > longest:
        raise InvalidRequest(f"since: Ask for at most {longest.days} days that end after they begin.", param="since")
    return Span.around(since, until, by)


def _lowest(at: datetime, param: str) -> Any:
    if not 1971 <= at.year <= 9000:
        raise InvalidRequest(f"{param}: There was no such time for requests.", param=param)
    return ids.lowest_at(at)


def _name(by: By, group: Any) -> str:
    if by in _PREFIXES:
        return ids.public(_PREFIXES[by], group)
    return str(group) if by is By.MODEL else group.astimezone(UTC).isoformat().replace("+00:00", "Z")


urlpatterns: list[URLPattern] = [
    path("models", Models.as_view(), name="models"),
    path("models/<path:model>", OneModel.as_view(), name="model"),
    path("usage", Usage.as_view(), name="usage"),
    path("usage/summary", UsageSummary.as_view(), name="usage-summary"),
]
