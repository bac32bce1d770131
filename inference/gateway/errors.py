"""What can be wrong with a request to a model, beyond its key and its money."""

from __future__ import annotations

from foundation.errors import Conflict, NotFound, Overloaded, PlatformError, RateLimited


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
