"""What is asked of the purses before a request runs, and what they grant."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from billing.slices import Slice


class Cap(Protocol):
    """A budget that applies to a request: at most `limit_nusd` in each `window` of `budget_id`."""

    @property
    def who(self) -> str: ...
    @property
    def budget_id(self) -> UUID: ...
    @property
    def limit_nusd(self) -> int: ...
    @property
    def window(self) -> str: ...


class HoldRequest(NamedTuple):
    """The worst case of one request, in nano-dollars, and whom it is for; or an amount for requests to come."""

    request_id: UUID
    organization_id: UUID
    project_id: UUID
    key_id: UUID
    model: str
    amount_nusd: int
    zone: str = "UTC"
    customer: str = ""
    caps: Sequence[Cap] = ()
    is_slice: bool = False


@dataclass(slots=True, eq=False)
class Place:
    """A request's place in a slice; `writing` is the flight that writes it down."""

    request: HoldRequest
    slice: Slice
    writing: asyncio.Task[None] | None = None

    def release(self, cost_nusd: int) -> int:
        """Return how much of the slice goes with a charge: all that was held, if the slice is to end."""
        held = self.request.amount_nusd
        return held if self.slice.retired else min(cost_nusd, held)


class Hold(NamedTuple):
    """Money set aside for one request: it is settled once, or voided, or the reaper ends it.

    `room_nusd` was left in the scarcest purse, and the first window of `purses` ends at `ends_at`; neither is known of
    a request that has its `place` in a slice.
    """

    request_id: UUID
    amount_nusd: int
    purses: tuple[UUID, ...]
    room_nusd: int = 0
    ends_at: datetime | None = None
    place: Place | None = None
