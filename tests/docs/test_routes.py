"""docs/routes.md names every address that answers."""

import re
from collections.abc import Iterator

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from tests.docs import pages

PARAMETER = re.compile(r"<(?:\w+:)?\w+>|\(\?P<\w+>[^)]*\)|\{[^}]*\}")
# Whole applications with pages of their own: their root is documented, not each page.
ROOTS = ("/admin/", "/accounts/")


def test_every_route_is_documented():
    documented = {_plain(path) for path in pages.CODE.findall(pages.page("routes.md"))}
    assert not [path for path in sorted(set(_served())) if _plain(path) not in documented]


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


def _served() -> Iterator[str]:
    for path in _walk(get_resolver().url_patterns, "/"):
        root = next((root for root in ROOTS if path.startswith(root)), None)
        yield root or path


def _walk(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[str]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, path)
        else:
            yield path


def _plain(path: str) -> str:
    """Return a route without its parameters' names, anchors and last slash."""
    bare = PARAMETER.sub("{}", path).replace("^", "").replace("$", "").replace("\\.", ".").replace("//", "/")
    return bare.rstrip("/") or "/"
