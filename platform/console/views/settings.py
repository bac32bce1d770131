"""The organisation's settings: what it is called, where its days begin, and which web pages may use its keys."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from console import forms
from console.access import Place, member_page, page
from foundation.errors import PlatformError
from tenants import organizations
from tenants.models import Organization
from tenants.roles import Right


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Right.ORGANIZATION_READ)
def settings(request: HttpRequest, place: Place) -> HttpResponse:
    """Show them to every member, and let those who may change them."""
    may_write = Right.ORGANIZATION_MANAGE in place.rights
    if request.method == "POST" and not may_write:
        raise PermissionDenied("Your role may see the settings, but not change them.")
    form = forms.SettingsForm(request.POST if request.method == "POST" else None, initial=_present(place.organization))
    if form.is_valid():
        try:
            _change(place, form.cleaned_data)
        except PlatformError as error:
            # What was refused was set on the object at hand before: the page shows what is stored.
            place.organization.refresh_from_db()
            forms.blame(form, error)
        else:
            messages.success(request, "The settings are saved.")
            return redirect("console:settings", slug=place.organization.slug)
    return page(
        request,
        place,
        "console/settings.html",
        section="settings",
        status=422 if form.errors else 200,
        form=form,
        may_write=may_write,
    )


def _present(organization: Organization) -> dict[str, str]:
    return {
        "name": organization.name,
        "time_zone": organization.time_zone,
        "allowed_origins": "\n".join(organization.allowed_origins),
    }


@transaction.atomic
def _change(place: Place, asked: dict[str, Any]) -> None:
    organization, actor = place.organization, place.actor
    if asked["name"] != organization.name:
        organizations.rename(organization=organization, name=asked["name"], actor=actor)
    if asked["time_zone"] != organization.time_zone:
        organizations.move_to_time_zone(organization=organization, time_zone=asked["time_zone"], actor=actor)
    if asked["allowed_origins"] != organization.allowed_origins:
        organizations.allow_origins(organization=organization, origins=asked["allowed_origins"], actor=actor)
