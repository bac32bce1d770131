"""POST /v1/audio/speech: text in, sound out (OpenAI's API reference)."""

from __future__ import annotations

import re
from typing import Any

from inference.gateway.surfaces.checks import KEPT, Rules, number, one_of, require, text
from inference.gateway.surfaces.surface import JsonSurface
from inference.gateway.wanted import Wanted

MOST_CHARACTERS = 4096
"""As many as OpenAI speaks at once."""
FORMATS = ("mp3", "opus", "aac", "flac", "wav", "pcm")
_AUDIO = re.compile(r"audio/[A-Za-z0-9.+-]+(?:; ?[A-Za-z0-9-]+=[A-Za-z0-9.+-]+)*")

SENT: Rules = {
    "model": (text(256), "a string"),
    "input": (text(MOST_CHARACTERS), f"a string of at most {MOST_CHARACTERS} characters"),
    "voice": (text(256), "a string"),
    "instructions": (text(MOST_CHARACTERS), f"a string of at most {MOST_CHARACTERS} characters"),
    "response_format": (one_of(*FORMATS), f"one of {', '.join(FORMATS)}"),
    "speed": (number(0.25, 4), "a number from 0.25 to 4"),
}
_RULES = SENT | KEPT | {"stream_format": (one_of("audio"), "audio")}


class Speech(JsonSurface):
    """Speech, charged by the characters of its input. It goes out as it is made."""

    name = "audio.speech"
    path = "/v1/audio/speech"
    generates = False
    unit = "characters"
    is_file = True

    def read(self, value: dict[str, Any], size: int, digest: bytes = b"") -> Wanted:
        """Check what is to be spoken."""
        require(value, _RULES, "model", "input")
        return Wanted(
            model=value["model"],
            stream=True,
            customer=value.get("user") or "",
            quantity=len(value["input"]),
            size=size,
            digest=digest,
            fields={name: item for name, item in value.items() if name in SENT and item is not None},
        )

    def stream_type(self, told: str) -> bytes:
        """Pass on which sound it is."""
        return told.encode() if _AUDIO.fullmatch(told) else b"application/octet-stream"
