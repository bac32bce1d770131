"""How long a recording may be."""

import struct

import pytest

from inference.gateway.surfaces.recordings import length
from tests.inference.simulator.recordings import recording


def wav(
    kind: int = 1, channels: int = 1, rate: int = 8000, bits: int = 16, *, claims: int = 16_000, real: int = 16_000
):
    form = struct.pack("<HHIIHH", kind, channels, rate, 0, 0, bits)
    head = b"RIFF\0\0\0\0WAVE" + b"fmt " + struct.pack("<I", len(form)) + form
    return head + b"data" + struct.pack("<I", claims) + bytes(real)


def test_uncompressed_sound_is_measured_by_its_samples():
    assert length(recording(90)) == (90, 90, True)
    assert length(wav(real=16_000 * 60)) == (60, 60, True)
    assert length(wav(channels=2, rate=16_000, bits=8, real=32_000 * 10)).most == 10


def test_a_header_that_understates_its_samples_is_not_believed():
    assert length(wav(claims=2, real=16_000 * 60)).most == 60


@pytest.mark.parametrize(
    "data",
    [
        bytes(75_000),
        wav(kind=0x55),
        wav(kind=0xFFFE),
        wav(bits=0),
        wav(channels=0),
        wav(rate=0),
        b"RIFF0000WAVE" + bytes(9),
    ],
)
def test_what_does_not_say_how_long_it_is_is_bounded_by_its_bytes(data):
    found = length(data)
    assert found.most == max(1, -(-len(data) // 750))
    assert (found.likely, found.exact) == (max(1, -(-len(data) // 8000)), False)
