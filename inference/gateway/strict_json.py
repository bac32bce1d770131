"""Reads JSON that has one meaning only (architecture §4.4).

orjson refuses NaN, Infinity, lone surrogates and bad UTF-8. This adds: depth at most 64, integers within int64, and no
duplicate keys, of which parsers keep now the first, now the last, so that a gateway and an engine would disagree.
"""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

from foundation.errors import InvalidRequest

DEEPEST = 64
INT64 = range(-(2**63), 2**63)

# More than any honest request has. Counted before anything is built: ten million empty lists are only thirty megabytes.
MOST_CONTAINERS = 200_000
MOST_ITEMS = 500_000

# The end of a string and a colon: a key. An escaped quote is none, but a key may end in an escaped backslash.
_KEY = re.compile(rb'(?<!\\)"\s*:')
_ESCAPED_BACKSLASH_AT_AN_END = b'\\\\"'


def parse_object(body: bytes) -> dict[str, Any]:
    """Parse a JSON object. Raises `InvalidRequest` with a reason that names no content."""
    if body.count(b"[") + body.count(b"{") > MOST_CONTAINERS:
        raise InvalidRequest(f"The body has more than {MOST_CONTAINERS} lists and objects.")
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(f"The body is not valid JSON: {error.msg}.") from None
    if not isinstance(value, dict):
        raise InvalidRequest("The body must be a JSON object.")
    keys = _count_keys(value)
    # Equal counts prove that no key was dropped. Unequal ones may be due to text that looks like keys: look closely.
    if _ESCAPED_BACKSLASH_AT_AN_END in body or keys != len(_KEY.findall(body)):
        _refuse_duplicates(body)
    return value


def _count_keys(root: dict[str, Any]) -> int:
    """Walk level by level, so that depth costs no stack, and check integers on the way."""
    keys = items = 0
    level: list[Any] = [root]
    for _ in range(DEEPEST):
        below: list[Any] = []
        for container in level:
            is_object = isinstance(container, dict)
            keys += len(container) if is_object else 0
            items += len(container)
            if items > MOST_ITEMS:
                raise InvalidRequest(f"The body has more than {MOST_ITEMS} values.")
            for item in container.values() if is_object else container:
                kind = type(item)
                if kind is dict or kind is list:
                    below.append(item)
                elif kind is int and item not in INT64:
                    raise InvalidRequest("An integer in the body does not fit into 64 bits.")
        if not below:
            return keys
        level = below
    raise InvalidRequest(f"The body is nested deeper than {DEEPEST} levels.")


def _refuse_duplicates(body: bytes) -> None:
    json.loads(body, object_pairs_hook=_unique)


def _unique(pairs: list[tuple[str, Any]]) -> None:
    if len({key for key, _ in pairs}) != len(pairs):
        raise InvalidRequest("The body has the same key twice in one object.")
