"""Who may ask: the key an engine wants, and where it wants it."""

import hmac
from collections.abc import Callable

from inference.simulator.protocol import Request
from inference.simulator.refusals import Refused

Guard = Callable[[Request, str | None], None]
"""Takes a request and the engine's key. Raises Refused."""


def bearer_below_v1(request: Request, key: str | None) -> None:
    """vLLM's: a bearer token for the paths below /v1 and /v2 and nothing else."""
    if request.path.startswith(("/v1", "/v2")):
        bearer(request, key)


def bearer_but_health(request: Request, key: str | None) -> None:
    """A bearer token for all but the paths by which others see whether it lives."""
    if not request.path.startswith(("/health", "/v2/health")):
        bearer(request, key)


def bearer(request: Request, key: str | None) -> None:
    """A bearer token for every path."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if key is not None and (scheme.lower() != "bearer" or not same(given, key)):
        raise Refused(401, "Unauthorized")


def same(given: str, key: str) -> bool:
    """Whether this is the key, in a time that does not tell how much of it is right."""
    return hmac.compare_digest(given.encode("latin-1"), key.encode())
