"""How long a recording may be, in seconds: exactly where its header says so, else by its bytes.

Only uncompressed WAV says it beyond doubt: what an engine hears are the samples that are there, at the rate that the
header names. Of every other format the bytes bound the length from above, because no codec speaks with less.
"""

from __future__ import annotations

from typing import Final, NamedTuple

LEAST_BYTES_PER_SECOND: Final = 750
"""6 kbit/s, the least that Opus (RFC 6716 §2.1.1) and its kind use for speech."""
USUAL_BYTES_PER_SECOND: Final = 8000
"""64 kbit/s, what is usual of compressed speech."""

_HEADER_BYTES: Final = 12
_UNCOMPRESSED: Final = (1, 3)
"""PCM and floating point."""
_EXTENSIBLE: Final = 0xFFFE


class Length(NamedTuple):
    """Whole seconds, rounded up: the most that a recording can have, and what it is likely to have."""

    most: int
    likely: int
    exact: bool


def length(data: bytes) -> Length:
    """Measure a recording. It is never shorter than a second: less is nowhere sold."""
    samples, bytes_per_second = _uncompressed(data)
    if bytes_per_second:
        seconds = _rounded_up(samples, bytes_per_second)
        return Length(seconds, seconds, exact=True)
    most = _rounded_up(len(data), LEAST_BYTES_PER_SECOND)
    return Length(most, _rounded_up(len(data), USUAL_BYTES_PER_SECOND), exact=False)


def _uncompressed(data: bytes) -> tuple[int, int]:
    """Return how many bytes of samples there are, and how many a second takes; zeros if this is no uncompressed WAV.

    The size that the header gives is not believed: streams do not know theirs, and liars understate it.
    """
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        return 0, 0
    at, rate = _HEADER_BYTES, 0
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if name == b"data":
            return len(data) - at - 8, rate
        if name == b"fmt ":
            rate = _rate(data[at + 8 : at + 8 + min(size, 40)])
        at += 8 + size + size % 2
    return 0, 0


def _rate(form: bytes) -> int:
    """Read the format: samples a second times the bytes of each, of all channels."""
    kind = int.from_bytes(form[:2], "little")
    if kind == _EXTENSIBLE:
        kind = int.from_bytes(form[24:26], "little")
    if len(form) < 16 or kind not in _UNCOMPRESSED:
        return 0
    channels, samples = int.from_bytes(form[2:4], "little"), int.from_bytes(form[4:8], "little")
    bits = int.from_bytes(form[14:16], "little")
    return channels * samples * (bits // 8)


def _rounded_up(size: int, bytes_per_second: int) -> int:
    return max(1, -(-size // bytes_per_second))
