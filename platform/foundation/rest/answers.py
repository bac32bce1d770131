"""Every error of the management API leaves here, in OpenAI's shape; what is not ours is translated first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response

from foundation import logs
from foundation.errors import (
    Forbidden,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    Overloaded,
    PlatformError,
    RateLimited,
    Unauthenticated,
    UnsupportedMediaType,
    answer_headers,
    as_openai,
)

RETRY_AFTER_SECONDS = 1.0

log = logs.get(__name__)


def answer_error(error: Exception, context: Mapping[str, Any]) -> Response:
    """Render whatever a resource raised; REST framework's EXCEPTION_HANDLER."""
    found = translate(error)
    if found.status >= 500:
        request: Request = context["request"]
        log.error("request_failed", method=request.method, path=request.path, code=found.code, exc_info=error)
    return Response(as_openai(found), status=found.status, headers=answer_headers(found))


def translate(error: Exception) -> PlatformError:
    """Return the error of our tree that says the same; for an unknown one the root, which says nothing."""
    if isinstance(error, PlatformError):
        return error
    for kinds, translated in _TRANSLATIONS:
        if isinstance(error, kinds):
            return translated(error)
    return PlatformError()


def _invalid(error: Any) -> PlatformError:
    param, message = next(_faults(error.detail, ""), ("", InvalidRequest.message))
    return InvalidRequest(f"{param}: {message}" if param else message, param=param or None)


def _forbidden(error: Any) -> PlatformError:
    # Django says what is wrong with the CSRF token; whoever tries a session by hand needs to know.
    return Forbidden(str(error)) if str(error).startswith("CSRF") else Forbidden()


_TRANSLATIONS: tuple[tuple[tuple[type[Exception], ...], Callable[[Any], PlatformError]], ...] = (
    ((exceptions.ValidationError,), _invalid),
    ((exceptions.MethodNotAllowed,), lambda _: MethodNotAllowed()),
    ((exceptions.UnsupportedMediaType,), lambda _: UnsupportedMediaType()),
    ((exceptions.ParseError,), lambda _: InvalidRequest("The body is not valid JSON.")),
    ((exceptions.NotAuthenticated, exceptions.AuthenticationFailed), lambda _: Unauthenticated()),
    ((exceptions.PermissionDenied, PermissionDenied), _forbidden),
    ((exceptions.NotFound, Http404), lambda _: NotFound()),
    ((exceptions.Throttled,), lambda error: RateLimited(retry_after=error.wait)),
    # Postgres is away, or somebody else held a lock for too long: nothing was written.
    ((OperationalError,), lambda _: Overloaded(retry_after=RETRY_AFTER_SECONDS)),
)


def _faults(detail: object, path: str) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a body, as (path of the field, message)."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            yield from _faults(inner, path if name == "non_field_errors" else _below(path, str(name)))
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            # A list of mappings has one for each item, empty where the item is right; else it is a list of messages.
            yield from _faults(inner, f"{path}[{index}]" if isinstance(inner, Mapping | list) else path)
    else:
        yield path, str(detail)


def _below(path: str, name: str) -> str:
    # REST framework names the items of a list of plain values by their index.
    if name.isdigit():
        return f"{path}[{name}]"
    return f"{path}.{name}" if path else name
