"""An order without a request: what a wire needs of one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson

from inference.gateway.catalogue import Model
from inference.gateway.estimating import Estimate
from inference.gateway.orders import Order
from inference.gateway.surfaces.router import SURFACES
from inference.gateway.wanted import Wanted


def order(surface: str = "chat.completions", template: str = "", most: int = 16, **fields: Any) -> Order:
    """Return an order with these fields."""
    asked = {"model": "m", "messages": [{"role": "user", "content": "hi"}], **fields}
    options = asked.pop("stream_options", {})
    wanted = Wanted(
        model="m", size=1, digest=b"", fields=asked, stream=bool(asked.get("stream")), include_usage=bool(options)
    )
    model = Model("m", "M", "us", 0, 8192, 4096, frozenset(), None, (), ())
    return Order(
        surface=next(one for one in SURFACES if one.name == surface),
        wanted=wanted,
        model=model,
        routes=(),
        rates=None,  # type: ignore[arg-type]  # no wire knows of prices
        bound=bound(most),
        template=template,
    )


def order_of(surface: str, body: dict[str, Any], template: str = "") -> Order:
    """Return the order that a body comes to."""
    asked = next(one for one in SURFACES if one.name == surface)
    wanted = asked.parse(orjson.dumps(body), b"application/json", b"")
    return replace(order(surface, template), wanted=wanted)


def bound(most: int) -> Estimate:
    """Return a bound of so much output."""
    return Estimate(most_input=100, likely_input=10, max_tokens=most, most_output=most, likely_output=most)
