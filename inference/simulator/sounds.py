"""Sound without a library: the length of a WAV file, and a tone as one."""

import math
import struct

RATE = 24_000
"""Samples in a second of what is spoken, as OpenAI's voices have it."""
SLICE = RATE // 10
"""Samples in one item of speech: a tenth of a second."""
_BYTES_PER_SECOND = 16_000
"""What a second of a compressed file is taken to be."""
_CYCLE = [int(8000 * math.sin(2 * math.pi * at / 60)) for at in range(60)]
"""One turn of a tone of 400 Hz."""


def seconds(data: bytes) -> float:
    """How long a recording is: by the header of a WAV file, or for other formats by a guess from their size."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        return len(data) / _BYTES_PER_SECOND
    at, rate = 12, 0
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if name == b"fmt " and size >= 16:
            rate = int.from_bytes(data[at + 16 : at + 20], "little")
        if name == b"data" and rate:
            return min(size, len(data) - at - 8) / rate
        at += 8 + size + size % 2
    return 0.0


def header(samples: int | None) -> bytes:
    """The header of a WAV file with one channel of 16 bits; None: of a stream whose length nobody knows yet."""
    size = 0xFFFFFFFF - 36 if samples is None else 2 * samples
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1, RATE, 2 * RATE, 2, 16, b"data", size
    )


def tone() -> bytes:
    """One slice of speech."""
    return struct.pack(f"<{SLICE}h", *(_CYCLE[at % len(_CYCLE)] for at in range(SLICE)))


def pcm_slices(count: int) -> list[bytes]:
    """So many slices of speech."""
    return [tone()] * count
