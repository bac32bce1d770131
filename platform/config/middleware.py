"""What every request to Django passes, from the outside in: an id, the browser's policy, one transaction, its scope.

The gateway's requests never come here.
"""

from collections.abc import Callable
from contextlib import nullcontext
from io import BytesIO
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.middleware.csp import ContentSecurityPolicyMiddleware, get_nonce
from django.utils.csp import CSP, build_policy
from whitenoise.middleware import WhiteNoiseMiddleware

from foundation import ids, logs
from tenants import isolation
from tenants.models import User

type GetResponse = Callable[[HttpRequest], HttpResponse]

OPERATORS = "/admin/"


class RequestId:
    """Give each request an id of ours, in the log lines it causes and in `x-request-id` of its answer."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Serve the request under a new id."""
        request_id = ids.public("req", ids.uuid7())
        token = logs.request_id.set(request_id)
        try:
            response = self._get_response(request)
        finally:
            logs.request_id.reset(token)
        response.headers["x-request-id"] = request_id
        return response


class StaticFiles(WhiteNoiseMiddleware):  # type: ignore[misc]  # whitenoise has no types
    """Whitenoise, with each file answered in one piece.

    Its own answer is a synchronous stream, which Django collects under ASGI all the same, with a warning for each.
    """

    @staticmethod
    def serve(static_file: Any, request: HttpRequest) -> HttpResponse:
        """Answer with a file, or say that the browser has it already."""
        answer = static_file.get_response(request.method, request.META)
        with answer.file or nullcontext(BytesIO()) as file:
            response = HttpResponse(file.read(), status=int(answer.status))
        del response["content-type"]
        for name, value in answer.headers:
            response.headers[name] = value
        return response


class ContentSecurityPolicy(ContentSecurityPolicyMiddleware):
    """Django's policy, with the exception that the operators' pages need."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Set the policy; Django leaves one that is set already as it is."""
        if request.path_info.startswith(OPERATORS):
            policy = build_policy(settings.SECURE_CSP_OPERATORS, get_nonce(request))
            response.headers.setdefault(str(CSP.HEADER_ENFORCE), policy)
        answer: HttpResponse = super().process_response(request, response)
        return answer


class TransactionPerRequest:
    """Run each request in one transaction, committed before the answer leaves, rolled back on a 5xx.

    It sees no tenant's rows until its edge resolved who asks and called `isolation.enter`.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Serve the request; an exception of a view arrives here as a response already."""
        with transaction.atomic():
            response = self._get_response(request)
            if response.status_code >= 500:
                transaction.set_rollback(True)
        return response


class OperatorScope:
    """Let staff see every organisation's rows, on the operators' pages only."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Serve the request, in the widest scope if it is an operator's."""
        with isolation.everything() if _is_operator(request) else nullcontext():
            return self._get_response(request)


def _is_operator(request: HttpRequest) -> bool:
    if not request.path_info.startswith(OPERATORS):
        return False
    user: User | AnonymousUser = request.user
    return user.is_authenticated and user.is_active and user.is_staff
