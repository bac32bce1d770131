"""One tree of errors: a `code` for machines, a `status` for HTTP, a public `message` for people.

Raise a subclass and let the edge render it, in one place, by `as_openai` and `answer_headers`. What the person may not
see (a driver's error, an engine's answer) travels as `__cause__` only: `raise Overloaded from cause`.
"""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

# The official SDKs of OpenAI and Anthropic try these again by themselves, even where nothing says for how long to wait.
_RETRIED = frozenset({409, 429})
NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class PlatformError(Exception):
    """The root. Subclasses set `code`, `status`, `type` (OpenAI's `error.type`) and a default public `message`."""

    code: str = "internal_error"
    status: int = 500
    type: str = "server_error"
    message: str = "Something went wrong on our side. Try again, and tell us the request id if it stays."
    standing_headers: Mapping[str, str] = NO_HEADERS
    """Headers that every answer with this error carries."""

    def __init__(
        self,
        message: str | None = None,
        *,
        param: str | None = None,
        retry_after: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Take a public message, the field at fault, seconds to wait, and more headers for the answer."""
        if message is not None:
            self.message = message
        super().__init__(self.message)
        self.param = param
        self.retry_after = retry_after
        self.headers: Mapping[str, str] = headers or {}


class InvalidRequest(PlatformError):
    """The request breaks a rule that the client can read in the documentation."""

    code, status, type = "invalid_request", 400, "invalid_request_error"
    message = "The request is not valid."


class Unauthenticated(PlatformError):
    """No credential, or one that proves nothing."""

    code, status, type = "invalid_api_key", 401, "authentication_error"
    message = "The API key is missing or wrong."
    # RFC 9110, 11.6.1: a 401 must say how to authenticate.
    standing_headers = MappingProxyType({"www-authenticate": 'Bearer realm="turnpike"'})


class PaymentRequired(PlatformError):
    """The wallet or a budget cannot cover the request."""

    code, status, type = "insufficient_credit", 402, "insufficient_quota"
    message = "This organization has no credit left. Add credit to continue."


class Forbidden(PlatformError):
    """Known caller, missing right."""

    code, status, type = "forbidden", 403, "permission_error"
    message = "You are not allowed to do this."


class NotFound(PlatformError):
    """Nothing here, or nothing that this caller may know of: both look alike."""

    code, status, type = "not_found", 404, "invalid_request_error"
    message = "There is nothing here."


class MethodNotAllowed(PlatformError):
    """The path exists, the method does not; pass `headers={"allow": "POST"}`."""

    code, status, type = "method_not_allowed", 405, "invalid_request_error"
    message = "This method is not allowed here."


class RequestTimeout(PlatformError):
    """The client was too slow to send its request."""

    code, status, type = "request_timeout", 408, "invalid_request_error"
    message = "The request did not arrive in time."


class Conflict(PlatformError):
    """The state of the object forbids this."""

    code, status, type = "conflict", 409, "invalid_request_error"
    message = "This conflicts with the present state."


class RequestTooLarge(PlatformError):
    """More bytes than this endpoint takes."""

    code, status, type = "request_too_large", 413, "invalid_request_error"
    message = "The request is too large."


class UnsupportedMediaType(PlatformError):
    """A content type or an encoding that this endpoint does not read."""

    code, status, type = "unsupported_media_type", 415, "invalid_request_error"
    message = "Send the request as application/json."


class RateLimited(PlatformError):
    """A limit is used up; `retry_after` says honestly for how long."""

    code, status, type = "rate_limit_exceeded", 429, "rate_limit_error"
    message = "A rate limit is reached. Wait, then try again."


class ClientGone(PlatformError):
    """The client closed the connection: nobody reads an answer, but the records name it (499, after nginx)."""

    code, status, type = "client_closed_request", 499, "invalid_request_error"
    message = "The client closed the connection."


class Overloaded(PlatformError):
    """We are at our limit, or something we need is down; safe to try again."""

    code, status, type = "overloaded", 503, "server_error"
    message = "The service is overloaded. Try again in a moment."


def as_openai(error: PlatformError) -> dict[str, Any]:
    """Render an error as OpenAI does: `{"error": {"message", "type", "param", "code"}}`."""
    return {"error": {"message": error.message, "type": error.type, "param": error.param, "code": error.code}}


def answer_headers(error: PlatformError) -> dict[str, str]:
    """Return the headers that an answer with this error carries, `retry-after` in whole seconds, rounded up.

    `x-should-retry: false` keeps the SDKs from trying again what no waiting changes: a conflict, a limit of 0.
    """
    headers = {**error.standing_headers, **error.headers}
    if error.retry_after is not None:
        headers["retry-after"] = str(max(0, math.ceil(error.retry_after)))
    elif error.status in _RETRIED:
        headers["x-should-retry"] = "false"
    return headers
