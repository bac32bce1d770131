import base64
import struct
import zlib

import pytest

from inference.simulator import pictures

IMAGES = "/v1/images/generations"


def test_a_picture_is_a_png_of_its_size():
    data = pictures.png(3, 2, b"\x01\x02\x03")
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", data[16:24]) == (3, 2)
    length = struct.unpack(">I", data[33:37])[0]
    assert zlib.decompress(data[41 : 41 + length]) == (b"\0" + b"\x01\x02\x03" * 3) * 2


def test_several_pictures_differ(sim):
    answer = sim.post(IMAGES, prompt="a gate", n=2, size="32x16").json
    first, second = (base64.b64decode(picture["b64_json"]) for picture in answer["data"])
    assert first != second
    assert struct.unpack(">II", first[16:24]) == (32, 16)
    assert answer["usage"]["output_tokens"] == 2


@pytest.mark.parametrize("members", [{"n": 11}, {"size": "big"}, {"size": "4000x10"}, {"response_format": "url"}])
def test_what_cannot_be_made_is_refused(sim, members):
    assert sim.post(IMAGES, prompt="a gate", **members).status == 400


def test_a_body_is_cut_after_so_many_pictures(sim):
    reply = sim.post(IMAGES, prompt="[[sim die_after=1]]", n=2, size="8x8")
    assert (reply.whole, reply.body.count(b"b64_json")) == (False, 1)
