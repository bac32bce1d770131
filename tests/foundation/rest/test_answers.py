"""Whatever a resource raises becomes an error of our tree."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import Http404
from rest_framework import exceptions

from foundation.errors import Conflict, PlatformError
from foundation.rest.answers import translate


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Conflict(), 409, "conflict"),
        (exceptions.ParseError(), 400, "invalid_request"),
        (exceptions.NotAuthenticated(), 401, "invalid_api_key"),
        (exceptions.AuthenticationFailed(), 401, "invalid_api_key"),
        (exceptions.PermissionDenied(), 403, "forbidden"),
        (PermissionDenied(), 403, "forbidden"),
        (exceptions.NotFound(), 404, "not_found"),
        (Http404(), 404, "not_found"),
        (exceptions.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
        (exceptions.UnsupportedMediaType("text/plain"), 415, "unsupported_media_type"),
        (exceptions.Throttled(wait=7), 429, "rate_limit_exceeded"),
        (OperationalError("secret host is down"), 503, "overloaded"),
        (KeyError("secret"), 500, "internal_error"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_error_has_its_place_in_the_tree(error, status, code):
    translated = translate(error)
    assert (translated.status, translated.code) == (status, code)
    assert "secret" not in translated.message


def test_a_wait_is_passed_on():
    assert translate(exceptions.Throttled(wait=7)).retry_after == 7


@pytest.mark.parametrize(
    ("detail", "param", "message"),
    [
        ({"name": ["Too long."]}, "name", "name: Too long."),
        ({"limits": {"rpm": ["Too many."]}}, "limits.rpm", "limits.rpm: Too many."),
        ({"models": {3: ["No text."]}}, "models[3]", "models[3]: No text."),
        ({"rows": [{}, {"id": ["Unknown."]}]}, "rows[1].id", "rows[1].id: Unknown."),
        ({"non_field_errors": ["Nonsense."]}, None, "Nonsense."),
        ({"limits": {"non_field_errors": ["Nonsense."]}}, "limits", "limits: Nonsense."),
        (["Nonsense."], None, "Nonsense."),
        ({}, None, PlatformError.message),
    ],
)
def test_the_first_fault_of_a_body_is_named_by_its_path(detail, param, message):
    translated = translate(exceptions.ValidationError(detail))
    assert translated.param == param
    assert translated.message == (message if detail else "The request is not valid.")
