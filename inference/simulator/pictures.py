"""`POST /v1/images/generations` in OpenAI's shape: pictures in one colour, made by hand as PNG."""

import base64
import re
import struct
import time
import zlib

import orjson

from inference.simulator import bodies, fields, jobs, prompts
from inference.simulator.bodies import Body
from inference.simulator.dialects import Answer, Dialect
from inference.simulator.jobs import Job
from inference.simulator.metering import Meter
from inference.simulator.options import Options
from inference.simulator.protocol import Request
from inference.simulator.refusals import Refused

_SIZE = re.compile(r"([1-9][0-9]{0,3})x([1-9][0-9]{0,3})")
_LARGEST = 2048
_TOKENS = 1056
"""What a picture of a million pixels costs of output, about as much as OpenAI's of medium quality."""


class Images(Dialect):
    """`n` pictures as `b64_json`."""

    endpoint = "/v1/images/generations"
    id_prefix = "img-"

    def read(self, request: Request, options: Options) -> Job:
        asked = fields.document(request, options)
        prompt = prompts.of_text(fields.text(asked, "prompt"))
        count = fields.whole(asked, "n") or 1
        if count > 10:
            raise Refused(400, f"n must be at most 10, got {count}.", param="n")
        if asked.get("response_format", "b64_json") != "b64_json":
            raise Refused(
                400, "response_format: the simulator has no place for pictures to stay at", param="response_format"
            )
        _size(asked)
        return jobs.making((prompt,), count, asked, options, prompt.instruction)

    def whole(self, answer: Answer) -> Body:
        job = answer.job
        width, height = _size(job.asked)
        colours = [zlib.crc32(job.prompts[0].content + bytes([index])).to_bytes(4)[:3] for index in range(job.tokens)]
        pictures = [{"b64_json": base64.b64encode(png(width, height, colour)).decode()} for colour in colours]
        described = {"background": "opaque", "output_format": "png", "quality": "medium", "size": f"{width}x{height}"}
        data = [bodies.items([orjson.dumps(picture) for picture in pictures])]
        return bodies.json({"created": int(time.time()), **described, "data": data, **_usage(job, width * height)})


def png(width: int, height: int, colour: bytes) -> bytes:
    """A picture of one colour, three bytes of red, green and blue."""
    rows = (b"\0" + colour * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = (_chunk(b"IHDR", head), _chunk(b"IDAT", zlib.compress(rows, 1)), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _size(asked: dict[str, object]) -> tuple[int, int]:
    wanted = asked.get("size") or "auto"
    found = _SIZE.fullmatch("1024x1024" if wanted == "auto" else str(wanted))
    if found is None or max(int(found[1]), int(found[2])) > _LARGEST:
        raise Refused(400, f"size: Input should be WIDTHxHEIGHT, each up to {_LARGEST}", param="size")
    return int(found[1]), int(found[2])


def _usage(job: Job, pixels: int) -> dict[str, object]:
    meter = Meter(job)
    if not meter.in_whole:
        return {}
    counts = meter.counts()
    made = counts.completion or (-(-_TOKENS * pixels // 1024**2) * job.tokens if job.directive.usage != "zero" else 0)
    details = {"text_tokens": counts.prompt, "image_tokens": 0}
    total = {"input_tokens": counts.prompt, "output_tokens": made, "total_tokens": counts.prompt + made}
    return {"usage": {**total, "input_tokens_details": details}}
