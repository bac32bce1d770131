"""How long a recording is: exactly where a WAV header says it, else bounded by its bytes. In whole seconds."""

from __future__ import annotations

from dataclasses import dataclass, field

# Speech codecs go down to about 6 kbit/s (Opus, AMR); nothing that people send to be transcribed is below.
LEAST_BYTES_PER_SECOND = 750
# 128 kbit/s, what most compressed recordings have or stay below: with it nobody is charged for more than was sent.
USUAL_BYTES_PER_SECOND = 16_000
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_SAMPLES = frozenset({_PCM, _FLOAT, _EXTENSIBLE})


@dataclass(frozen=True, slots=True)
class Recording:
    """A file to listen to. `most_seconds` bounds its length from above; `likely_seconds` is the best guess.

    The guess is charged where an engine does not tell. Never shown: content.
    """

    data: bytes = field(repr=False)
    name: str
    media: str
    most_seconds: int
    likely_seconds: int


def recording(data: bytes, name: str, media: str) -> Recording:
    """Measure a file."""
    exact = _wav_seconds(data)
    most = _rounded_up(len(data), LEAST_BYTES_PER_SECOND) if exact is None else exact
    likely = _rounded_up(len(data), USUAL_BYTES_PER_SECOND) if exact is None else exact
    return Recording(data, name, media, most, likely)


def _wav_seconds(data: bytes) -> int | None:
    """Read a WAV header; None if there is none, or samples are compressed (RIFF, Microsoft's WAVEFORMAT).

    The rate of bytes is computed, not taken from the header: that number may be a lie that engines do not look at.
    """
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        return None
    at, bytes_per_second = 12, 0
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if name == b"fmt " and size >= 16:
            bytes_per_second = _bytes_per_second(data[at + 8 : at + 24])
        if name == b"data":
            rest = len(data) - at - 8
            # What is written as it is recorded names no size, or the largest.
            return _rounded_up(size if 0 < size <= rest else rest, bytes_per_second) if bytes_per_second else None
        at += 8 + size + size % 2
    return None


def _bytes_per_second(form: bytes) -> int:
    """Return 0 for what has no fixed rate."""
    code, channels, rate = (int.from_bytes(form[at : at + size], "little") for at, size in ((0, 2), (2, 2), (4, 4)))
    bits = int.from_bytes(form[14:16], "little")
    return rate * channels * -(-bits // 8) if code in _SAMPLES else 0


def _rounded_up(size: int, per_second: int) -> int:
    return -(-size // per_second)
