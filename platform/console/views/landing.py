"""The page for people who are not signed in."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    """Show what this installation is and where to sign in."""
    return render(request, "console/landing.html")
