"""The management API: `/api/v1/…`. Each app's resources, the document that describes them, and a page to read it on."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, URLResolver, include, path
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing import wallet
from config import reading
from foundation.errors import NotFound
from tenants.api import Organizations


class Document(APIView):
    """The OpenAPI document."""

    authentication_classes = ()
    schema = None

    def get(self, request: Request) -> Response:
        """Everybody may read what there is to ask for."""
        return Response(document(), headers={"cache-control": "public, max-age=300"})


class Nowhere(APIView):
    """Every other address below the API, so that its 404 has the API's shape."""

    authentication_classes = ()
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Say so, whatever the method."""
        raise NotFound


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """Show the OpenAPI document to people."""
    return render(request, "config/api.html", {"api": reading.contents(document())})


def document() -> dict[str, Any]:
    """Return the OpenAPI document."""
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]  # drf-spectacular's lack of types
    found: dict[str, Any] = generator.get_schema(public=True)  # type: ignore[no-untyped-call]  # the same
    return found


urlpatterns: list[URLPattern | URLResolver] = [
    path("openapi.json", Document.as_view(), name="openapi"),
    path("docs", docs, name="api-docs"),
    path("organizations", Organizations.as_view(when_founded=[wallet.open_wallet]), name="organizations"),
    path("", include("tenants.api")),
    path("", include("keys.api")),
    path("", include("billing.api")),
    path("", include("inference.api")),
    path("", include("inference.limits.api")),
    path("<path:rest>", Nowhere.as_view()),
]
