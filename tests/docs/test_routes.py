"""docs/routes.md names every address that answers."""

import re
from collections.abc import Iterator

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from config.draining import Drain
from config.operations import Operations, Readiness
from inference.gateway import app
from inference.gateway.surfaces.router import ROUTES
from tests.docs import pages

PARAMETER = re.compile(r"<(?:\w+:)?\w+>|\(\?P<\w+>[^)]*\)|\{[^}]*\}")
# Whole applications with pages of their own: their root is documented, not each page.
ROOTS = ("/admin/", "/accounts/")
# Answers 404 in the API's shape.
EVERYTHING_ELSE = "<path:rest>"


def test_every_route_is_documented():
    assert not {_plain(path) for path in _served()} - _documented()


def test_every_documented_route_is_served():
    assert not _documented() - {_plain(path) for path in _served()}


@pytest.mark.parametrize(
    ("route", "path"),
    [
        ("/api/v1/keys/<str:key>/", "/api/v1/keys/{}"),
        (r"/^api/(?P<pk>[^/.]+)/$", "/api/{}"),
        ("/v1/models/{model}", "/v1/models/{}"),
    ],
)
def test_routes_compare_without_the_names_of_their_parameters(route: str, path: str):
    assert _plain(route) == path


def _documented() -> set[str]:
    return {_plain(path) for path in pages.table_rows("routes.md")}


def _served() -> Iterator[str]:
    yield from ROUTES
    yield from (app.MODELS, app.MODELS + "/{model}", app.RECEIPT_KEYS, app.RECEIPTS + "/{request}")
    yield from Operations(Drain(_nothing, seconds=0), Readiness("", ""), token="")._doors
    for path in _walk(get_resolver().url_patterns, "/"):
        if path.endswith(EVERYTHING_ELSE):
            continue
        root = next((root for root in ROOTS if path.startswith(root)), None)
        yield root or path


def _walk(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[str]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, path)
        else:
            yield path


async def _nothing(_: float) -> None:
    """Finish nothing: no server runs here."""


def _plain(path: str) -> str:
    """Return a route without its parameters' names, anchors and last slash."""
    bare = PARAMETER.sub("{}", path).replace("^", "").replace("$", "").replace("\\.", ".").replace("//", "/")
    return bare.rstrip("/") or "/"
