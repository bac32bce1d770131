"""POST /v1/images/generations: a prompt in, pictures out (OpenAI's API reference)."""

from __future__ import annotations

import re
from typing import Any

import orjson

from inference.gateway.surfaces.checks import KEPT, Rules, integer, one_of, require, text
from inference.gateway.surfaces.surface import JsonSurface
from inference.gateway.transcripts import tokens
from inference.gateway.wanted import Outcome, Wanted

MOST_IMAGES = 10
MOST_CHARACTERS = 32_000
_SIZE = re.compile(r"auto|[1-9][0-9]{1,4}x[1-9][0-9]{1,4}")

SENT: Rules = {
    "model": (text(256), "a string"),
    "prompt": (text(MOST_CHARACTERS), f"a string of at most {MOST_CHARACTERS} characters"),
    "n": (integer(1, MOST_IMAGES), f"a whole number from 1 to {MOST_IMAGES}"),
    "size": (lambda value: isinstance(value, str) and bool(_SIZE.fullmatch(value)), "auto or WIDTHxHEIGHT"),
    "quality": (text(32), "a string"),
    "style": (text(32), "a string"),
    "response_format": (one_of("b64_json", "url"), "b64_json or url"),
    "background": (one_of("auto", "opaque", "transparent"), "auto, opaque or transparent"),
    "moderation": (one_of("auto", "low"), "auto or low"),
    "output_format": (one_of("png", "jpeg", "webp"), "png, jpeg or webp"),
    "output_compression": (integer(0, 100), "a whole number from 0 to 100"),
}
_RULES = SENT | KEPT


class Images(JsonSurface):
    """Pictures, charged by how many come; by tokens, where the price and the engine count them."""

    name = "images.generations"
    path = "/v1/images/generations"
    generates = False
    may_tell_output = True
    unit = "images"

    def read(self, value: dict[str, Any], size: int, digest: bytes = b"") -> Wanted:
        """Check what is to be drawn."""
        require(value, _RULES, "model", "prompt")
        count = value.get("n") or 1
        return Wanted(
            model=value["model"],
            choices=count,
            customer=value.get("user") or "",
            quantity=count,
            size=size,
            digest=digest,
            fields={name: item for name, item in value.items() if name in SENT and item is not None},
        )

    def replay(self, outcome: Outcome, *, streamed: bool) -> bytes:
        """Write an answer without pictures."""
        usage = tokens(outcome.prompt_tokens, outcome.completion_tokens)
        return orjson.dumps({"created": int(outcome.at.timestamp()), "data": [], "usage": usage})
