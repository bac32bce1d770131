"""What is asked of the purses before a request runs, and what they grant."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from billing.budgets import Cap
from billing.slices import Slice


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
    """A request's place in a slice, and what is held of it there; `writing` is the flight that writes it down.

    One that has `left` is to be written down no more.
    """

    request: HoldRequest
    slice: Slice
    held_nusd: int
    writing: asyncio.Task[None] | None = None
    left: bool = False

    def release(self, cost_nusd: int) -> int:
        """Return how much of the slice goes with a charge: all that was held, if the slice is to end."""
        return self.held_nusd if self.slice.retired else min(cost_nusd, self.held_nusd)


class Hold(NamedTuple):
    """Money set aside for one request: it is settled once, or voided, or the reaper ends it.

    `room_nusd` was left in the scarcest purse, and the first window of `purses` ended `ends_in` later; neither is known
    of a request that has its `place` in a slice.
    """

    request_id: UUID
    amount_nusd: int
    purses: tuple[UUID, ...]
    room_nusd: int = 0
    ends_in: timedelta | None = None
    place: Place | None = None

    def grown(self, amount_nusd: int) -> Hold:
        """Return it with what is held now; a slice has grown with the request in it."""
        if self.place is not None:
            self.place.held_nusd = amount_nusd
        return self._replace(amount_nusd=amount_nusd)
