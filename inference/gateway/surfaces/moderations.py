"""POST /v1/moderations: verdicts on texts and pictures (OpenAI's API reference)."""

from __future__ import annotations

from typing import Any

from foundation.errors import InvalidRequest
from inference.gateway.surfaces.checks import Rules, anything, customer, require, text
from inference.gateway.surfaces.surface import MOST_BYTES_WITH_MEDIA, JsonSurface
from inference.gateway.wanted import Wanted

MOST_INPUTS = 2048
SENT: Rules = {"model": (text(256), "a string"), "input": (anything, "")}
_KEPT: Rules = {"user": (customer, "a string of at most 128 printable characters")}


class Moderations(JsonSurface):
    """Moderations, charged by their input."""

    name = "moderations"
    path = "/v1/moderations"
    makes = "scores"
    generates = False
    most_bytes = MOST_BYTES_WITH_MEDIA
    media_marks = (b'"image_url"',)

    def read(self, value: dict[str, Any], size: int, digest: bytes = b"") -> Wanted:
        """Check the fields: a text, texts, or parts of which each is text or a picture."""
        require(value, SENT | _KEPT, "model", "input")
        given = value["input"]
        items = [given] if isinstance(given, str) else given
        if not isinstance(items, list) or not 0 < len(items) <= MOST_INPUTS or not all(map(_is_input, items)):
            raise InvalidRequest(
                f"input must be a string, or 1 to {MOST_INPUTS} strings or parts with a type.", param="input"
            )
        return Wanted(
            model=value["model"],
            inputs=len(items),
            has_media=any(isinstance(item, dict) and item["type"] == "image_url" for item in items),
            customer=value.get("user") or "",
            size=size,
            digest=digest,
            fields={name: item for name, item in value.items() if name in SENT and item is not None},
        )


def _is_input(item: Any) -> bool:
    if isinstance(item, str):
        return True
    if not isinstance(item, dict):
        return False
    if item.get("type") == "text":
        return isinstance(item.get("text"), str)
    return item.get("type") == "image_url" and isinstance(item.get("image_url"), dict)
