"""The door to an organisation's pages: who asks, are they a member, may they see this page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, cast

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from foundation.errors import Forbidden, NotFound
from tenants import isolation, members, roles
from tenants.audit import Actor
from tenants.models import Membership, Organization, User
from tenants.roles import Right

LAST_VISITED = "organization"
"""Where the session remembers the organisation somebody looked at last."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a signed-in person stands: in this organisation, with these rights, and what else they could switch to."""

    user: User
    membership: Membership
    memberships: tuple[Membership, ...]

    @property
    def organization(self) -> Organization:
        """The organisation whose rows this request sees."""
        return self.membership.organization

    @property
    def rights(self) -> frozenset[Right]:
        """What the person may do here; templates ask `"keys.manage" in place.rights`."""
        return roles.rights(self.membership.role)

    @property
    def actor(self) -> Actor:
        """The person, as the audit trail names them."""
        return Actor.of_user(self.user)


type PlaceView[**P] = Callable[Concatenate[HttpRequest, Place, P], HttpResponse]


def member_page[**P](right: Right) -> Callable[[PlaceView[P]], Callable[..., HttpResponse]]:
    """Make a view a page of the organisation in the address, for its members with this right.

    Strangers get the 404 that an unknown organisation gets, members without the right a 403.
    """

    def decorate(view: PlaceView[P]) -> Callable[..., HttpResponse]:
        @never_cache
        @login_required
        @wraps(view)
        def entered(request: HttpRequest, slug: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            place = enter(request, slug, right)
            try:
                return view(request, place, *args, **kwargs)
            except NotFound as error:
                raise Http404 from error
            except Forbidden as error:
                raise PermissionDenied(error.message) from error

        return entered

    return decorate


def enter(request: HttpRequest, slug: str, right: Right) -> Place:
    """See the rows of the organisation of this slug until the request ends. Raises Http404 and PermissionDenied."""
    user = cast(User, request.user)
    memberships = tuple(members.of_user(user))
    membership = next((found for found in memberships if found.organization.slug == slug), None)
    if membership is None:
        raise Http404
    place = Place(user, membership, memberships)
    if right not in place.rights:
        raise PermissionDenied(f"Your role in {membership.organization} is “{membership.get_role_display()}”.")
    isolation.enter(membership.organization_id)
    if request.session.get(LAST_VISITED) != slug:
        request.session[LAST_VISITED] = slug
    return place


def page(request: HttpRequest, place: Place, template: str, status: int = 200, **context: Any) -> HttpResponse:
    """Render a page of the organisation, now: a lazily rendered one would see no rows any more."""
    return render(request, template, {"place": place, **context}, status=status)
