"""Bases of the management API's resources: one transaction, one principal, one organisation, one right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.views import APIView

from foundation import ids
from foundation.errors import Forbidden, InvalidRequest, NotFound
from tenants import members
from tenants.audit import Actor
from tenants.models import Organization
from tenants.rest import principals
from tenants.rest.principals import Principal
from tenants.roles import Right

ORGANIZATION = "x-turnpike-organization"


class Resource(APIView):
    """Something a principal may ask for: public facts of the platform, if it is no OrganizationResource."""

    principal: Principal
    http_method_names = ["get", "head", "post", "patch"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer in a transaction of the request's own: an error undoes all that was written on the way to it."""
        with transaction.atomic():
            response = super().dispatch(request, *args, **kwargs)
            if response.status_code >= 400:
                transaction.set_rollback(True)
        # What a tenant was told is nobody else's, and a secret must not stay in any cache.
        response.headers["cache-control"] = "no-store"
        return response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse whoever proved nothing, and a body whose length nobody stated: it would be read as no body."""
        super().initial(request, *args, **kwargs)
        self.principal = principals.of(request)
        if "transfer-encoding" in request.headers and not request.headers.get("content-length"):
            raise InvalidRequest("Send the body with a Content-Length.")

    @property
    def actor(self) -> Actor:
        """Who acts, for domain functions."""
        return self.principal.actor


class OrganizationResource(Resource):
    """Something of one organisation: its rows are all that is seen. `rights` says what each method takes."""

    rights: ClassVar[Mapping[str, Right]]
    organization: Organization
    shared_parameters: ClassVar = [
        OpenApiParameter(
            ORGANIZATION,
            str,
            OpenApiParameter.HEADER,
            description="The organization (`org_…`) to act in, for people with several memberships. "
            "A key acts in its own.",
        )
    ]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Enter the organisation with the right that the method takes."""
        super().initial(request, *args, **kwargs)
        right = self.rights.get("GET" if request.method == "HEAD" else str(request.method))
        if right is not None:
            self.organization = self.principal.enter(_organization_id(request, self.principal), right)


def _organization_id(request: Request, principal: Principal) -> UUID:
    """Return the one that the request names, else the key's, else the only one that the person belongs to."""
    if (named := request.headers.get(ORGANIZATION)) is not None:
        return public_id(Organization.PREFIX, named)
    if principal.organization_id is not None:
        return principal.organization_id
    own = [membership.organization_id for membership in members.of_user(principal.user)] if principal.user else []
    if len(own) == 1:
        return own[0]
    if not own:
        raise Forbidden("You belong to no organization.")
    raise InvalidRequest(f"You belong to several organizations: name one in {ORGANIZATION}.", param=ORGANIZATION)


def public_id(prefix: str, text: str) -> UUID:
    """Return the id in an address; NotFound for what cannot be one, as for one that is not there."""
    try:
        return ids.parse(prefix, text)
    except ValueError:
        raise NotFound from None
