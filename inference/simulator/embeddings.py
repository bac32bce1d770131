"""`POST /v1/embeddings` as vLLM serves it: vectors that follow from the text alone, of length one."""

import base64
import math
import random
import struct
import time
from zlib import crc32

import orjson

from inference.simulator import bodies, fields, jobs, prompts, wire
from inference.simulator.bodies import Body
from inference.simulator.dialects import Answer, Dialect
from inference.simulator.jobs import Job
from inference.simulator.metering import Meter
from inference.simulator.options import Options
from inference.simulator.prompts import Prompt
from inference.simulator.protocol import Request
from inference.simulator.refusals import Refused

DIMENSIONS = 64
"""How long a vector is unless the request says otherwise."""
_MOST_DIMENSIONS = 4096


class Embeddings(Dialect):
    """A vector for each input."""

    endpoint = "/v1/embeddings"
    id_prefix = "embd-"

    def read(self, request: Request, options: Options) -> Job:
        asked = fields.members(request)
        if asked.get("model") not in (None, options.model):
            raise Refused(404, f"The model `{asked['model']}` does not exist.", kind="NotFoundError")
        if (asked.get("encoding_format") or "float") not in ("float", "base64"):
            raise Refused(400, "encoding_format: Input should be 'float' or 'base64'", param="encoding_format")
        if (fields.whole(asked, "dimensions") or DIMENSIONS) > _MOST_DIMENSIONS:
            raise Refused(400, f"dimensions must be at most {_MOST_DIMENSIONS}.")
        found = self._inputs(asked)
        return jobs.making(found, len(found), asked, options, "\n".join(prompt.instruction for prompt in found))

    def whole(self, answer: Answer) -> Body:
        job, meter = answer.job, Meter(answer.job)
        vectors = [_entry(job, index, prompt) for index, prompt in enumerate(job.prompts)]
        document = {
            **self.head(answer),
            "data": [bodies.items(vectors)],
            "model": answer.model,
            **({"usage": self.usage(meter)} if meter.in_whole else {}),
        }
        return bodies.json(document)

    def head(self, answer: Answer) -> dict[str, object]:
        """The members before the vectors."""
        return {"id": answer.id, "object": "list", "created": int(time.time())}

    def usage(self, meter: Meter) -> object:
        """What was read; nothing was generated."""
        counts = meter.counts()
        return orjson.Fragment(wire.usage(counts.prompt, counts.completion, wire.whole_details(None, None)))

    @staticmethod
    def _inputs(asked: dict[str, object]) -> tuple[Prompt, ...]:
        if "messages" in asked:
            return (prompts.of_messages(asked["messages"]),)
        try:
            return tuple(prompts.of_completion(asked.get("input")))
        except Refused:
            if asked.get("input") == []:
                raise Refused(400, "You must pass at least one prompt") from None
            raise fields.invalid("input", "Input should be a text, token ids, or a list of them") from None


def vector(content: bytes, length: int) -> list[float]:
    """The direction of a text: the same for the same bytes, of length one as floats go."""
    chance = random.Random(crc32(content))  # noqa: S311 - a vector that anybody can make again, no secret
    values = [chance.gauss(0.0, 1.0) for _ in range(length)]
    size = math.sqrt(sum(value * value for value in values))
    return [value / size for value in values]


def _entry(job: Job, index: int, prompt: Prompt) -> bytes:
    values = vector(prompt.content, job.asked.get("dimensions") or DIMENSIONS)
    if job.asked.get("encoding_format") == "base64":
        packed = base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()
        return orjson.dumps({"index": index, "object": "embedding", "embedding": packed})
    return orjson.dumps({"index": index, "object": "embedding", "embedding": values})
