"""JSON that was right until something in it became something else."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

type Place = tuple[str | int, ...]

ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 2**31, 2**63 - 1, -(2**63), 0.5, 1e308, "", "x", "\0", "é🌍\u2028", "a" * 70_000),
    *([], {}, [[]], [None], [1], ["a"], [{}], {"a": None}, {"type": None}, {"type": "text"}, {"function": None}),
    *({"type": "function"}, [{"type": "function", "function": None}], {"type": "image_url"}, {"url": None}),
    *({"type": "json_schema"}, {"type": "json_schema", "json_schema": {"schema": []}}, {"type": "tool_use"}),
    *("function", "tool", "assistant", "required", "error", "data:,x", "data:image/png;base64,AAAA", "http://x/y"),
)
_NAMES = ("type", "role", "content", "name", "id", "text", "error", "tool_calls", "function_call", "logprobs", "usage")


def mutated(value: Any, dice: random.Random) -> Any:
    """Return a copy in which one to three places are gone, new, or something else."""
    value = copy.deepcopy(value)
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        places = [place for place in _places(value) if place]
        if not places:
            return value
        *path, last = dice.choice(places)
        inside = value
        for step in path:
            inside = inside[step]
        kind = dice.random()
        if kind < 0.15:
            del inside[last]
        elif kind < 0.25 and isinstance(inside, dict):
            inside[dice.choice(_NAMES)] = copy.deepcopy(dice.choice(ODD))
        else:
            inside[last] = copy.deepcopy(dice.choice(ODD))
    return value


def _places(value: Any, at: Place = ()) -> Iterator[Place]:
    yield at
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in inside:
        yield from _places(item, (*at, name))
