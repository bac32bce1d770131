"""Limits: all of them as they stand, and those of one scope, to be changed or tried on requests of the past."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from billing import spending
from console import budgets, forms, limit_forms, standing, trying
from console.access import Place, member_page, page
from foundation import ids
from foundation.errors import Forbidden, NotFound, PlatformError
from inference.limits import notices, targets
from keys import limiting, scopes, subjects
from keys.effective import Limits
from keys.limiting import Target
from keys.models import ApiKey, ScopeLimits
from tenants.models import Organization, Project, User
from tenants.roles import Right

SHOWN_NOTICES = 8


@dataclass(frozen=True, slots=True)
class Limited:
    """One scope: whose limits they are, which row states them, and whether it is its own and not the one for each."""

    target: Target
    scope: str
    name: str
    row: ScopeLimits | None
    is_own: bool

    @property
    def limits(self) -> Limits:
        """What it states itself."""
        return limiting.of(self.row) if self.row is not None and self.is_own else Limits()

    @property
    def can_be_tried(self) -> bool:
        """Usage records do not say which address a request came from."""
        return self.scope != subjects.ADDRESS


@require_safe
@member_page(Right.KEYS_READ)
def index(request: HttpRequest, place: Place) -> HttpResponse:
    """Show every limit with what applies, every budget with what is spent, and the marks that were passed."""
    organization = place.organization
    found = standing.of(organization)
    passed = spending.notices(organization).order_by("-pk")[:SHOWN_NOTICES]
    return page(
        request,
        place,
        "console/limits/index.html",
        section="limits",
        standing=found,
        meters=budgets.of_rows(organization, found.rows, found.names),
        notices=notices.name_all(organization, passed),
        form=limit_forms.SubjectForm(),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Right.KEYS_READ)
def scope(request: HttpRequest, place: Place) -> HttpResponse:
    """Show the limits of the scope in the query; change them, take them away, or try others. Trying changes nothing."""
    try:
        limited = _find(place, request.GET.get("scope", ""), request.GET.get("subject", "").strip())
    except NotFound:
        raise
    except PlatformError as error:
        messages.error(request, error.message)
        return redirect("console:limits", slug=place.organization.slug)
    if request.method != "POST":
        return _shown(request, place, limited, _form(limited))
    wanted = request.POST.get("do", "save")
    if wanted != "try" and not _may_write(place, limited):
        raise Forbidden("Your role may see these limits, but not change them.")
    if wanted == "remove":
        return _remove(request, place, limited)
    form = _form(limited, request.POST)
    if not form.is_valid():
        return _shown(request, place, limited, form, status=422)
    try:
        if wanted == "try":
            trial = trying.run(place.organization, limited.target, form.stated(), form.past())
            return _shown(request, place, limited, form, trial=trial)
        return _save(request, place, limited, form)
    except PlatformError as error:
        forms.blame(form, error)
        return _shown(request, place, limited, form, status=422)


def _save(request: HttpRequest, place: Place, limited: Limited, form: limit_forms.ScopeLimitsForm) -> HttpResponse:
    plan = limited.row.plan if limited.row is not None and limited.is_own else None
    limiting.set_limits(target=limited.target, limits=form.stated(), plan=plan, actor=place.actor)
    messages.success(request, f"The limits of {limited.name} are changed. Requests heed them within a second.")
    return redirect("console:limits", slug=place.organization.slug)


def _remove(request: HttpRequest, place: Place, limited: Limited) -> HttpResponse:
    # Somebody else may have been quicker; then it is done.
    with suppress(NotFound):
        limiting.remove_limits(target=limited.target, actor=place.actor)
    messages.success(request, f"{limited.name[:1].upper()}{limited.name[1:]} has no limits of its own any more.")
    return redirect("console:limits", slug=place.organization.slug)


def _shown(
    request: HttpRequest,
    place: Place,
    limited: Limited,
    form: limit_forms.ScopeLimitsForm,
    *,
    trial: trying.Trial | None = None,
    status: int = 200,
) -> HttpResponse:
    row, organization = limited.row, place.organization
    parents = standing.above(organization, limited.target) if isinstance(limited.target, Project | ApiKey) else []
    own = standing.stated(row)
    return page(
        request,
        place,
        "console/limits/scope.html",
        section="limits",
        status=status,
        limited=limited,
        cells=list(zip(standing.cells(parents, own), (form[name].label for name in limit_forms.NUMBERS), strict=True)),
        meters=[] if row is None else budgets.of_rows(organization, [row], {row.pk: limited.name}),
        form=form,
        numbers=[form[name] for name in limit_forms.NUMBERS],
        trial=trial,
        may_write=_may_write(place, limited),
    )


def _form(limited: Limited, data: QueryDict | None = None) -> limit_forms.ScopeLimitsForm:
    limits = limited.limits
    return limit_forms.ScopeLimitsForm(
        data,
        initial=limit_forms.filled_in(limits) if limited.is_own else {},
        also=limits.allowed_models or (),
    )


def _find(place: Place, scope: str, subject: str) -> Limited:
    """Return whose limits are asked for. Raises NotFound, also for what is somebody else's, and InvalidLimit."""
    if scope not in ScopeLimits.Scope.values:
        raise NotFound
    organization = place.organization
    is_each = scope in subjects.SCOPES and not subject
    target = targets.each(organization, scope) if is_each else targets.find(organization, scope, subject)
    row, is_own = scopes.applying(target)
    return Limited(target, scope, _name(target, scope), row, is_own)


def _name(target: Target, scope: str) -> str:
    if isinstance(target, Organization | Project | ApiKey):
        return f"“{target.name}”"
    words = ScopeLimits.Scope(scope).label.lower()
    if not target.text:
        return f"each {words}"
    if scope == subjects.MEMBER:
        person = User.objects.filter(pk=ids.parse(User.PREFIX, target.text)).first()
        return f"the member “{person.get_full_name() if person else target.text}”"
    return f"the {words} “{target.text}”"


def _may_write(place: Place, limited: Limited) -> bool:
    """Say whether the person may change these limits; those of an organisation are the platform's side."""
    if isinstance(limited.target, Organization):
        return place.actor.is_operator
    needed = {ScopeLimits.Scope.PROJECT: Right.PROJECTS_MANAGE, ScopeLimits.Scope.KEY: Right.KEYS_MANAGE}
    return needed.get(ScopeLimits.Scope(limited.scope), Right.ORGANIZATION_MANAGE) in place.rights
