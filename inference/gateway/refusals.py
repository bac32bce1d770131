"""What is said when a limit refuses: which one, whose it is, what is left, and when to try again."""

from __future__ import annotations

from datetime import timedelta

from foundation import clock
from foundation.errors import InvalidRequest, PlatformError, RateLimited
from inference.gateway.errors import ConcurrencyLimited
from keys.effective import Rate

# The kinds of `admission.lua`: the limit's name, and what it counts.
_KINDS = {
    1: ("rpm", "requests"),
    2: ("tpm", "tokens"),
    3: ("input_tpm", "input tokens"),
    4: ("output_tpm", "output tokens"),
}
_CONCURRENCY = "concurrency"


def refusal(rate: Rate, kind: int, *, needed: int, limit: int, left: int, wait_ms: int) -> PlatformError:
    """Return the error for a limit of a scope; its `param` is the limit's name.

    `needed` is what the request asked of it; `limit` and `left` are what was decided by, a share of the limit while
    Valkey is away.
    """
    name, unit = _KINDS.get(kind, (_CONCURRENCY, "requests at once"))
    whole = getattr(rate, name)
    if whole == 0:
        error = RateLimited if kind in _KINDS else ConcurrencyLimited
        return error(f"The {rate.who}'s limit {name} is 0, which blocks every request.", param=name)
    seconds = wait_ms / 1000
    if kind not in _KINDS:
        return ConcurrencyLimited(
            f"The {rate.who} may run {limit} requests at once, and all of them are running.",
            param=name,
            retry_after=seconds,
        )
    if needed > whole:
        return InvalidRequest(
            f"This request needs about {needed} {unit}; the {rate.who} may use {whole} per minute, so it can never "
            "run. Send less, or lower max_tokens.",
            param=name,
        )
    return RateLimited(
        f"The {rate.who}'s limit of {limit} {unit} per minute is reached: {max(0, left)} left, {needed} needed. "
        f"Try again in {seconds:.1f} s, at {_instant_in(seconds)}.",
        param=name,
        retry_after=seconds,
    )


def _instant_in(seconds: float) -> str:
    at = clock.now() + timedelta(seconds=seconds)
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
