"""A checked request, whatever endpoint it came to, and what became of an earlier one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(slots=True, kw_only=True)
class Wanted:
    """What was asked for. `fields` are what an engine may see, in the words of the endpoint. Never shown: content.

    `inputs` are read each by itself, and each of `choices` may have `max_tokens`.
    `quantity` bounds what is charged beside tokens from above (characters, seconds, images: `Surface.unit`);
    `likely_quantity` is what it is taken to be where the engine does not say, without one it is the bound.
    """

    model: str
    size: int
    digest: bytes
    fields: dict[str, Any] = field(repr=False)
    stream: bool = False
    include_usage: bool = False
    continuous_usage: bool = False
    max_tokens: int | None = None
    inputs: int = 1
    choices: int = 1
    has_media: bool = False
    customer: str = ""
    quantity: int = 0
    likely_quantity: int | None = None
    quantity_is_exact: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the request that came first under an Idempotency-Key."""

    request_id: str
    model: str
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    cost_nusd: int
    at: datetime
