"""Budgets as holds ask for them: the caps that share a purse are one item, with a limit of each kind. No Django here.

Only a hard cap refuses. A soft one has its marks noticed by the settlement, a shadow one has its purse count what it
would have refused; both cost a number in the item, and no round trip.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol
from uuid import UUID

PER_REQUEST, LIFETIME = "request", "lifetime"
HARD, SOFT, SHADOW = "hard", "soft", "shadow"

# The fields of `turnpike_hold`, by mode and by whether what is unspent is carried over.
_FIELDS = {
    (HARD, False): "limit",
    (HARD, True): "carrying",
    (SOFT, False): "soft",
    (SOFT, True): "soft_carrying",
    (SHADOW, False): "shadow",
    (SHADOW, True): "shadow_carrying",
}


class Cap(Protocol):
    """A budget that applies to a request: `limit_nusd` in each `window` of `budget_id`; whose, `scope` and `label` say.

    Of the caps of one purse (`budget_id` and `window`) no two are alike in `mode` and `carries_over`.
    """

    @property
    def who(self) -> str: ...
    @property
    def scope(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def budget_id(self) -> UUID: ...
    @property
    def limit_nusd(self) -> int: ...
    @property
    def window(self) -> str: ...
    @property
    def mode(self) -> str: ...
    @property
    def carries_over(self) -> bool: ...


def by_purse(caps: Iterable[Cap]) -> list[list[Cap]]:
    """Return the caps that have purses, those of one purse together. A limit of single requests has none."""
    purses: dict[tuple[UUID, str], list[Cap]] = {}
    for cap in caps:
        if cap.window != PER_REQUEST:
            purses.setdefault((cap.budget_id, cap.window), []).append(cap)
    return list(purses.values())


def as_item(caps: Sequence[Cap]) -> dict[str, Any]:
    """Return what the hold function is told of one purse."""
    first = caps[0]
    item: dict[str, Any] = {"budget": first.budget_id, "window": first.window, "scope": first.scope}
    if first.label:
        item["label"] = first.label
    for cap in caps:
        item[_FIELDS[cap.mode, cap.carries_over]] = cap.limit_nusd
    return item


def most_ever(caps: Iterable[Cap]) -> int:
    """Return what a window of this purse may have at most, with all that can be carried over: its hard caps'."""
    return min(cap.limit_nusd * (2 if cap.carries_over else 1) for cap in caps if cap.mode == HARD)
