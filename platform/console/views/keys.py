"""Keys: list, create, rotate, revoke. A secret is on one answer only, which is never cached."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from console import budgets, catalogue, examples, figures, forms
from console.access import Place, member_page, page
from foundation import clock, ids
from foundation.errors import NotFound, PlatformError
from keys import issuing, limiting
from keys.effective import Limits
from keys.models import ApiKey, ScopeLimits
from tenants.roles import Right

SHOWN_OF_A_KEY = 10


@require_safe
@member_page(Right.KEYS_READ)
def index(request: HttpRequest, place: Place) -> HttpResponse:
    """List the keys that work, and below them those that do not any more."""
    keys = ApiKey.objects.for_organization(place.organization).select_related("project").order_by("-created_at")
    now = clock.now()
    active = [key for key in keys if key.revoked_at is None and (key.expires_at is None or key.expires_at > now)]
    ended = [key for key in keys if key not in active]
    return page(request, place, "console/keys/index.html", section="keys", active=active, ended=ended)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Right.KEYS_MANAGE)
def new(request: HttpRequest, place: Place) -> HttpResponse:
    """Make a key and show its secret once."""
    form = forms.KeyForm(place.organization, request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            return _issue(request, place, form)
        except PlatformError as error:
            forms.blame(form, error)
    status = 422 if form.errors else 200
    return page(request, place, "console/keys/new.html", section="keys", status=status, form=form)


@require_safe
@member_page(Right.KEYS_READ)
def detail(request: HttpRequest, place: Place, key_id: str) -> HttpResponse:
    """Show what a key is, may and did."""
    key = _find(place, key_id)
    return page(
        request,
        place,
        "console/keys/detail.html",
        section="keys",
        key=key,
        limits=_limits(key),
        meters=budgets.of_key(key),
        usage=figures.usage(place.organization, figures.PERIODS["30d"], key=key),
        requests=figures.requests(place.organization, limit=SHOWN_OF_A_KEY, key=key),
        names={},
        rotate_form=forms.RotateForm(),
        revoke_form=forms.RevokeForm(),
        works=key.revoked_at is None and (key.expires_at is None or key.expires_at > clock.now()),
    )


@require_POST
@member_page(Right.KEYS_MANAGE)
def rotate(request: HttpRequest, place: Place, key_id: str) -> HttpResponse:
    """Replace a key by a new one, whose secret is shown once."""
    key = _find(place, key_id)
    form = forms.RotateForm(request.POST)
    if not form.is_valid():
        return redirect("console:key", slug=place.organization.slug, key_id=key.public_id)
    overlap = int(form.cleaned_data["overlap"])
    try:
        issued = issuing.rotate(key=key, overlap_seconds=overlap, actor=place.actor)
    except PlatformError as error:
        messages.error(request, error.message)
        return redirect("console:key", slug=place.organization.slug, key_id=key.public_id)
    return _show_once(request, place, issued, replaced=key)


@require_POST
@member_page(Right.KEYS_MANAGE)
def revoke(request: HttpRequest, place: Place, key_id: str) -> HttpResponse:
    """Make a key useless from the next request on."""
    key = _find(place, key_id)
    form = forms.RevokeForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    try:
        issuing.revoke(key=key, reason=reason, actor=place.actor)
        messages.success(request, f"“{key.name}” is revoked. Requests with it are refused from now on.")
    except PlatformError as error:
        messages.error(request, error.message)
    return redirect("console:keys", slug=place.organization.slug)


def _issue(request: HttpRequest, place: Place, form: forms.KeyForm) -> HttpResponse:
    issued = issuing.issue(
        project=form.cleaned_data["project"],
        name=form.cleaned_data["name"],
        expires_at=form.expires_at(),
        limits=form.limits(),
        actor=place.actor,
    )
    return _show_once(request, place, issued)


@sensitive_variables("issued", "example")
def _show_once(
    request: HttpRequest, place: Place, issued: issuing.Issued, replaced: ApiKey | None = None
) -> HttpResponse:
    example = examples.first_call(request, catalogue.on_offer(), issued.secret)
    return page(
        request, place, "console/keys/secret.html", section="keys", key=issued.key, example=example, replaced=replaced
    )


def _find(place: Place, public_id: str) -> ApiKey:
    """Return the organisation's key of this id. Raises NotFound, for a stranger's key as for an unknown one."""
    try:
        key_id: UUID = ids.parse(ApiKey.PREFIX, public_id)
    except ValueError as error:
        raise NotFound from error
    keys = ApiKey.objects.for_organization(place.organization).select_related("project", "created_by", "replaced_by")
    key = keys.filter(pk=key_id).first()
    if key is None:
        raise NotFound
    return key


def _limits(key: ApiKey) -> Limits | None:
    rows = ScopeLimits.objects.for_organization(key.organization)
    row = rows.filter(scope=ScopeLimits.Scope.KEY, scope_id=key.lineage).first()
    limits = limiting.of(row) if row is not None else None
    return None if limits == Limits() else limits
