"""POST /v1/images/generations: pictures of what is described (OpenAI's API reference)."""

from __future__ import annotations

import re
from typing import Any, Final

import orjson

from inference.gateway.surfaces.checks import Rules, customer, one_of, require, text, whole
from inference.gateway.surfaces.surface import JsonSurface, whole_replay
from inference.gateway.wanted import Outcome, Wanted

MOST_IMAGES: Final = 10
LONGEST_PROMPT: Final = 32_000
_SIZE = re.compile(r"auto|[1-9][0-9]{1,3}x[1-9][0-9]{1,3}")


def _size(value: Any) -> bool:
    return isinstance(value, str) and _SIZE.fullmatch(value) is not None


# Pictures are charged one by one; whatever would make several of one (`stream`, `partial_images`) is not on the list.
SENT: Rules = {
    "model": (text(256), "a string"),
    "prompt": (text(LONGEST_PROMPT), f"a string of at most {LONGEST_PROMPT} characters"),
    "n": whole(1, MOST_IMAGES),
    "size": (_size, "auto, or WIDTHxHEIGHT in pixels"),
    "quality": (text(16), "a string"),
    "style": (text(16), "a string"),
    "background": (one_of("auto", "opaque", "transparent"), "auto, opaque or transparent"),
    "moderation": (one_of("auto", "low"), "auto or low"),
    "output_format": (one_of("png", "jpeg", "webp"), "png, jpeg or webp"),
    "output_compression": whole(0, 100),
    "response_format": (one_of("url", "b64_json"), "url or b64_json"),
    "seed": whole(-(2**63), 2**63 - 1),
}
_RULES: Rules = SENT | {"user": (customer, "a string of at most 128 printable characters")}


class Images(JsonSurface):
    """Pictures, charged by their number."""

    name = "images.generations"
    path = "/v1/images/generations"
    makes = "image"
    generates = False
    counts_tokens = False
    unit = "images"

    def read(self, value: dict[str, Any], size: int, digest: bytes = b"") -> Wanted:
        """Check the fields."""
        require(value, _RULES, "model", "prompt")
        return Wanted(
            model=value["model"],
            customer=value.get("user") or "",
            size=0,
            inputs=0,
            digest=digest,
            fields={name: item for name, item in value.items() if name in SENT and item is not None},
            quantity=value.get("n") or 1,
        )

    def replay(self, outcome: Outcome, *, streamed: bool) -> bytes:
        """Write an answer without pictures."""
        told = {"created": int(outcome.at.timestamp()), "data": []}
        return orjson.dumps(orjson.loads(whole_replay(outcome)) | told)
