"""Who asks something of the management API: a program with a management key, or a person with a session."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self
from uuid import UUID

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request

from foundation.errors import Forbidden, NotFound, Unauthenticated
from tenants import authority, isolation
from tenants.audit import Actor
from tenants.models import Organization, User
from tenants.roles import ALL, Right


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. A key's own organisation is the one it acts in unless it names another, which only operators may."""

    actor: Actor
    user: User | None = None
    organization_id: UUID | None = None

    @classmethod
    def of_user(cls, user: User) -> Self:
        """A person, who acts by their memberships."""
        return cls(Actor.of_user(user), user=user)

    @classmethod
    def of_key(cls, actor: Actor, organization_id: UUID, *, operator: bool) -> Self:
        """A program, which acts by its key's scopes; an operator's key is above every organisation."""
        if operator:
            actor = replace(actor, rights=ALL, organization_id=None)
        return cls(actor, organization_id=organization_id)

    @property
    def may_found(self) -> bool:
        """Whether they may make organisations: operators, and staff who were given that permission in the admin."""
        user = self.user
        return self.actor.is_operator or bool(user and user.is_staff and user.has_perm("tenants.add_organization"))

    def enter(self, organization_id: UUID, right: Right) -> Organization:
        """Return the organisation, and see its rows until the transaction ends.

        Raises NotFound for a stranger, as for an organisation that does not exist, and Forbidden without the right.
        """
        if self.actor.is_operator:
            return _enter_as_operator(organization_id)
        if self.user is not None:
            return authority.enter(user=self.user, organization_id=organization_id, right=right).organization
        return self._enter_by_key(organization_id, right)

    def _enter_by_key(self, organization_id: UUID, right: Right) -> Organization:
        if organization_id != self.organization_id:
            raise NotFound
        if right not in (self.actor.rights or ()):
            raise Forbidden(f"This key lacks the scope {right}.")
        isolation.enter(organization_id)
        return Organization.objects.get(pk=organization_id)


def of(request: Request) -> Principal:
    """Return who asks; raises Unauthenticated if nobody proved anything."""
    principal = request.auth
    if not isinstance(principal, Principal):
        raise Unauthenticated("Send a management key as 'Authorization: Bearer YOUR_KEY'.")
    return principal


class BySession(SessionAuthentication):
    """A signed-in person. What changes something needs the CSRF token, as a form does."""

    def authenticate(self, request: Request) -> tuple[User, Principal] | None:
        """Return the person, or nothing if nobody is signed in."""
        found = super().authenticate(request)
        if found is None or not isinstance(found[0], User):
            return None
        return found[0], Principal.of_user(found[0])


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # drf-spectacular's lack of types
    """Describes BySession; found by drf-spectacular because it exists."""

    target_class = "tenants.rest.principals.BySession"
    name = "session"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        """Return the cookie."""
        return {"type": "apiKey", "in": "cookie", "name": "sessionid", "description": "A signed-in person."}


def _enter_as_operator(organization_id: UUID) -> Organization:
    isolation.enter(organization_id)
    organization = Organization.objects.filter(pk=organization_id).first()
    if organization is None:
        raise NotFound
    return organization
