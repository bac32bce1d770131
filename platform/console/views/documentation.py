"""The documentation of the version that runs, for everybody."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from console import documentation


@require_safe
def show(request: HttpRequest, address: str = "") -> HttpResponse:
    """Show a page, beside the list of all."""
    found = documentation.page(f"{address}/" if address else "")
    if found is None:
        raise Http404
    return render(
        request, "console/documentation.html", {"page": found, "entries": documentation.entries(), "section": "docs"}
    )
