"""Proving to the management API who asks, by a management key: settings.REST_FRAMEWORK names this class."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from keys import authenticating, credentials, formats
from keys.errors import InvalidApiKey
from keys.models import ApiKey
from tenants.rest.principals import Principal
from tenants.roles import PLATFORM

_HEADERS = ("authorization", "x-api-key", "api-key")


class ByKey(BaseAuthentication):
    """`Authorization: Bearer tpm_live_…`, or the key in `x-api-key` or `api-key`."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Principal] | None:
        """Return the key's principal, or nothing if there is no credential. Raises as keys.authenticating does."""
        found = [(name.encode(), request.headers[name].encode()) for name in _HEADERS if name in request.headers]
        if not found:
            return None
        secret = credentials.resolve(found)
        if formats.kind_of(secret) == ApiKey.Kind.INFERENCE:
            raise InvalidApiKey("This is an inference key. Use a management key, which starts with tpm_, here.")
        key = authenticating.authenticate(secret, ApiKey.Kind.MANAGEMENT)
        actor = authenticating.actor_of(key)
        return AnonymousUser(), Principal.of_key(actor, key.organization_id, operator=PLATFORM in key.scopes)

    def authenticate_header(self, request: Request) -> str:
        """Return what a 401 asks for."""
        return 'Bearer realm="turnpike"'


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # drf-spectacular's lack of types
    """Describes ByKey; found by drf-spectacular because it exists."""

    target_class = "keys.bearer.ByKey"
    name = "managementKey"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        """Return the header."""
        return {"type": "http", "scheme": "bearer", "description": "A management key, `tpm_live_…`."}
