"""The catalogue as Anthropic's API lists it: newest first, in pages (its public reference, `GET /v1/models`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from foundation.errors import InvalidRequest
from inference.gateway.catalogue import Model

USUAL = 20
MOST = 1000
_KNOWN = frozenset({"limit", "before_id", "after_id"})


def page(models: Sequence[Model], query: bytes) -> dict[str, Any]:
    """Return the page that a query string asks for. Raises `InvalidRequest` for one that makes no sense."""
    asked = _asked(query)
    ordered = sorted(models, key=lambda model: (-model.created, model.id))
    limit, ids = _limit(asked), [model.id for model in ordered]
    if "before_id" in asked:
        end = _position(ids, asked, "before_id")
        start, more = max(0, end - limit), end > limit
    else:
        start = _position(ids, asked, "after_id") + 1 if "after_id" in asked else 0
        end, more = min(len(ids), start + limit), len(ids) > start + limit
    data = [shape(model) for model in ordered[start:end]]
    first, last = (data[0]["id"], data[-1]["id"]) if data else (None, None)
    return {"data": data, "has_more": more, "first_id": first, "last_id": last}


def shape(model: Model) -> dict[str, Any]:
    """Write one model as Anthropic does."""
    created = datetime.fromtimestamp(model.created, UTC)
    return {
        "type": "model",
        "id": model.id,
        "display_name": model.display_name,
        "created_at": created.isoformat().replace("+00:00", "Z"),
        "max_input_tokens": model.context_length,
        "max_tokens": model.max_output_tokens,
        "lifecycle": "active" if model.sunset_at is None else "deprecated",
        "retires_at": model.sunset_at and model.sunset_at.isoformat().replace("+00:00", "Z"),
    }


def _asked(query: bytes) -> Mapping[str, str]:
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    asked = {name: value for name, value in pairs if name in _KNOWN}
    if {"before_id", "after_id"} <= asked.keys():
        raise InvalidRequest("Send before_id or after_id, not both.", param="before_id")
    return asked


def _limit(asked: Mapping[str, str]) -> int:
    text = asked.get("limit", str(USUAL))
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= MOST):
        raise InvalidRequest(f"limit must be a whole number from 1 to {MOST}.", param="limit")
    return int(text)


def _position(ids: Sequence[str], asked: Mapping[str, str], name: str) -> int:
    try:
        return ids.index(asked[name])
    except ValueError:
        raise InvalidRequest(f"{name} names no model of the list.", param=name) from None
