"""Overview and usage: what was used, what it cost, what is left."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from billing import wallet
from console import budgets, catalogue, charts, examples, figures
from console.access import LAST_VISITED, Place, member_page, page
from console.templatetags.look import compact, usd
from foundation import ids
from keys.models import ApiKey
from tenants import members
from tenants.roles import Right

SHOWN_AT_A_GLANCE = 8
SHOWN_PER_PAGE = 50
METRICS = {
    "cost": ("Spend", usd, "cost_nusd"),
    "tokens": ("Tokens", compact, "tokens"),
    "requests": ("Requests", compact, "requests"),
}


@never_cache
@login_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Go to the organisation that was looked at last, or to any; say what to do where there is none."""
    slugs = [found.organization.slug for found in members.of_user(request.user)]  # type: ignore[arg-type]  # signed in
    if not slugs:
        return render(request, "console/no_organization.html")
    last = request.session.get(LAST_VISITED)
    return redirect("console:overview", slug=last if last in slugs else slugs[0])


@require_safe
@member_page(Right.USAGE_READ)
def overview(request: HttpRequest, place: Place) -> HttpResponse:
    """Show balance, the last month's usage and the newest requests; to newcomers, how to make the first."""
    organization = place.organization
    usage = figures.usage(organization, figures.PERIODS["30d"])
    requests = figures.requests(organization, limit=SHOWN_AT_A_GLANCE)
    return page(
        request,
        place,
        "console/overview.html",
        section="overview",
        usage=usage,
        chart=_chart(usage, "cost" if usage.totals.cost_nusd else "requests"),
        balance=wallet.balance(organization.pk) if Right.BILLING_READ in place.rights else None,
        meters=budgets.of_organization(place),
        requests=requests,
        names=_key_names(place, [record.key_id for record in requests]),
        active_keys=ApiKey.objects.for_organization(organization).active().filter(kind=ApiKey.Kind.INFERENCE).count(),
        example=examples.first_call(request, catalogue.on_offer()),
    )


@require_safe
@member_page(Right.USAGE_READ)
def usage(request: HttpRequest, place: Place) -> HttpResponse:
    """Show usage by time, model and key, and all requests, newest first."""
    period = figures.PERIODS.get(request.GET.get("period", ""), figures.PERIODS["7d"])
    metric = request.GET.get("metric", "")
    metric = metric if metric in METRICS else "cost"
    used = figures.usage(place.organization, period)
    records = figures.requests(place.organization, limit=SHOWN_PER_PAGE + 1, before=_before(request))
    shown = records[:SHOWN_PER_PAGE]
    return page(
        request,
        place,
        "console/usage.html",
        section="usage",
        usage=used,
        chart=_chart(used, metric),
        metric=metric,
        metrics=METRICS,
        periods=figures.PERIODS.values(),
        requests=shown,
        names=_key_names(place, [record.key_id for record in shown] + list(used.by_key)),
        older=ids.public("req", shown[-1].request_id) if len(records) > SHOWN_PER_PAGE else None,
        paging="before" in request.GET,
        example=examples.first_call(request, catalogue.on_offer()),
    )


def _chart(used: figures.Usage, metric: str) -> charts.Chart:
    _, show, column = METRICS[metric]
    values = {
        model: {at: getattr(sums, column) for at, sums in points.items()} for model, points in used.over_time.items()
    }
    return charts.stacked(used.buckets, values, show=show, unit=used.period.unit)


def _before(request: HttpRequest) -> UUID | None:
    if "before" not in request.GET:
        return None
    try:
        return ids.parse("req", request.GET["before"])
    except ValueError as error:
        raise Http404 from error


def _key_names(place: Place, key_ids: list[UUID]) -> dict[UUID, ApiKey]:
    """Return the keys by id, to those who may see keys."""
    return figures.key_names(place.organization, key_ids) if Right.KEYS_READ in place.rights else {}
