"""POST /v1/audio/speech: text as speech (OpenAI's API reference). Binary, and always a stream."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final

from foundation.web import Header
from inference.gateway.surfaces.checks import Check, Rules, customer, number, one_of, require, text
from inference.gateway.surfaces.surface import JsonSurface, whole_replay
from inference.gateway.wanted import Outcome, Wanted

LONGEST: Final = 4096
"""What OpenAI speaks at once."""
TYPES: Final = MappingProxyType(
    {
        "mp3": b"audio/mpeg",
        "opus": b"audio/ogg",
        "aac": b"audio/aac",
        "flac": b"audio/flac",
        "wav": b"audio/wav",
        "pcm": b"audio/pcm",
    }
)
USUAL: Final = "mp3"


def _spoken() -> Check:
    fits = text(LONGEST)
    return lambda value: fits(value) and bool(value)


SENT: Rules = {
    "model": (text(256), "a string"),
    "input": (_spoken(), f"a string of 1 to {LONGEST} characters"),
    "voice": (text(128), "a string"),
    "instructions": (text(LONGEST), f"a string of at most {LONGEST} characters"),
    "response_format": (one_of(*TYPES), f"one of {', '.join(TYPES)}"),
    "speed": (number(0.25, 4), "a number from 0.25 to 4"),
}
_RULES: Rules = SENT | {
    "stream_format": (one_of("audio"), "audio"),
    "user": (customer, "a string of at most 128 printable characters"),
}


class Speech(JsonSurface):
    """Speech, charged by the characters of its text."""

    name = "audio.speech"
    path = "/v1/audio/speech"
    makes = "audio"
    generates = False
    counts_tokens = False
    unit = "characters"
    # In sound there is no place for a word about it: a stream that breaks just ends, without having been completed.
    keep_alive = b""
    tells_breaks = False

    def read(self, value: dict[str, Any], size: int, digest: bytes = b"") -> Wanted:
        """Check the fields. `response_format` is always there."""
        require(value, _RULES, "model", "input", "voice")
        fields = {name: item for name, item in value.items() if name in SENT and item is not None}
        return Wanted(
            model=value["model"],
            stream=True,
            customer=value.get("user") or "",
            size=0,
            inputs=0,
            digest=digest,
            fields={"response_format": USUAL} | fields,
            quantity=len(value["input"]),
        )

    def stream_head(self, wanted: Wanted) -> tuple[Header, ...]:
        """Say which kind of sound it is."""
        return ((b"content-type", TYPES[wanted.fields["response_format"]]), *super().stream_head(wanted)[1:])

    def replay(self, outcome: Outcome, *, streamed: bool) -> bytes:
        """Write what it used: there is no sound any more."""
        return whole_replay(outcome)
