"""What Django answers where no view could: in the API's shape below `/api/`, as a page elsewhere."""

from __future__ import annotations

import sys

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import defaults

from foundation.errors import InvalidRequest, PlatformError, answer_headers, as_openai
from foundation.rest import answers

API = "/api/"


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a request that failed around its view, such as by a database that is away."""
    if not request.path_info.startswith(API):
        return defaults.server_error(request)
    cause = sys.exception()
    return _answer(answers.translate(cause) if isinstance(cause, Exception) else PlatformError())


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django itself refused, such as one for a host that is not ours."""
    if not request.path_info.startswith(API):
        return defaults.bad_request(request, exception)
    return _answer(InvalidRequest())


def _answer(error: PlatformError) -> HttpResponse:
    return JsonResponse(as_openai(error), status=error.status, headers=answer_headers(error))
