"""What can be wrong with a request to a model, beyond its key and its money."""

from __future__ import annotations

from foundation.errors import Conflict, InvalidRequest, NotFound, Overloaded, PlatformError, RateLimited


class HeadTooLarge(PlatformError):
    """More headers than anybody needs, or larger ones (RFC 6585 §5)."""

    code, status, type = "request_head_too_large", 431, "invalid_request_error"
    message = "The request has too many or too large headers."


class TargetTooLong(PlatformError):
    """An address that is longer than any of ours."""

    code, status, type = "request_target_too_long", 414, "invalid_request_error"
    message = "The address is too long."


class BodyBroken(InvalidRequest):
    """The body did not come to its end, or is framed in a way that cannot be read."""

    message = "The body of the request ended too early, or its chunks cannot be read."


class ModelNotFound(NotFound):
    """No such model, or none that this caller may know of."""

    code = "model_not_found"
    message = "There is no model with this name."


class ConcurrencyLimited(RateLimited):
    """Too many requests of this caller run at once."""

    code = "concurrency_limit_exceeded"
    message = "Too many requests are running. Wait for one to end."


class IdempotencyKeyReused(Conflict):
    """An Idempotency-Key stands for one request, and this is another."""

    code = "idempotency_key_reused"
    message = "This Idempotency-Key was used for a different request. Send a new one."


class Draining(Overloaded):
    """The process is about to stop; another one will take the request."""

    code = "draining"
    message = "This server is shutting down. Send the request again."


class NoReplica(Overloaded):
    """No engine that serves the model is up."""

    message = "No engine for this model is available right now. Try again shortly."


class PoolBusy(Overloaded):
    """Every pool of engines that serves the model runs as many requests as it may, whoever they belong to."""

    message = "All engines for this model are busy. Try again shortly."


class NotServed(InvalidRequest):
    """The model's engines do not have the endpoint: asking again changes nothing."""

    def __init__(self, model: str, path: str) -> None:
        """Take the public name of the model and the address of the endpoint."""
        super().__init__(f"The model {model} does not serve {path}.", param="model")


class UpstreamError(PlatformError):
    """The engine failed or said something that makes no sense. What it said never leaves."""

    code, status, type = "upstream_error", 502, "server_error"
    message = "The model's engine failed. Nothing was charged."


class UpstreamTimeout(PlatformError):
    """The engine took too long."""

    code, status, type = "upstream_timeout", 504, "server_error"
    message = "The model's engine did not answer in time. Nothing was charged."


class SettlementFailed(Overloaded):
    """The charge could not be made durable, so the answer is not finished and nothing is charged."""

    message = "The request could not be completed. Nothing was charged. Try again shortly."
