"""Monthly statements: what there was, what came in, what was used, what was left."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from billing import statements
from console.access import Place, member_page, page
from tenants.roles import Right


@require_safe
@member_page(Right.BILLING_READ)
def index(request: HttpRequest, place: Place) -> HttpResponse:
    """Show all months, newest first."""
    return page(
        request, place, "console/statements.html", section="statements", statements=statements.of(place.organization)
    )


@require_safe
@member_page(Right.BILLING_READ)
def detail(request: HttpRequest, place: Place, month: str) -> HttpResponse:
    """Show one month, with its usage by model."""
    statement = statements.one(place.organization, month)
    return page(
        request,
        place,
        "console/statement.html",
        section="statements",
        statement=statement,
        lines=statements.usage(place.organization, statement),
    )
