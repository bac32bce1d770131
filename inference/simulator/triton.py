"""Triton's generate extension before the TensorRT-LLM backend: `text_input` in, `text_output` out, and no usage.

Tokens are counted only where the request asks with `return_num_input_tokens` and `return_num_output_tokens`; the second
counts those of its own event. There is no end marker: the stream just ends.
"""

import re
from typing import Any

import orjson

from inference.simulator import bodies, fields, jobs, prompts
from inference.simulator.bodies import JSON, Body, Tokens
from inference.simulator.dialects import Answer, Error, Events, Streamed
from inference.simulator.engine import Engine
from inference.simulator.jobs import Job, Wish
from inference.simulator.metering import Meter
from inference.simulator.options import Options
from inference.simulator.pages import Page, Pages, document, empty
from inference.simulator.protocol import Request
from inference.simulator.refusals import Refused

_MODEL = re.compile(r"/v2/models/([^/]+)(?:/versions/[^/]+)?(.*)")
_GENERATE = "/v2/models/{model}/generate"


def error(status: int, message: str, kind: str | None = None, param: str | None = None) -> bytes:
    """A message and nothing else."""
    del status, kind, param
    return orjson.dumps({"error": message})


def place(path: str) -> str:
    """A path with the model's name taken out, and its version."""
    found = _MODEL.fullmatch(path)
    return path if found is None else f"/v2/models/{{model}}{found[2]}"


class Generate(Streamed):
    """`POST /v2/models/<model>/generate`."""

    endpoint = _GENERATE
    stream = False

    def __init__(self, error: Error = error) -> None:
        super().__init__(error)

    def read(self, request: Request, options: Options) -> Job:
        found = _MODEL.fullmatch(request.path)
        if found is None or found[1] != options.model:
            name = found[1] if found else ""
            raise Refused(400, f"Request for unknown model: '{name}' is not found")
        asked = self._flat(fields.members(request))
        wish = Wish(
            prompts=(prompts.of_text(fields.text(asked, "text_input")),),
            stream=self.stream,
            limit=fields.whole(asked, "max_tokens"),
            usual_limit=16,
        )
        return jobs.generating(wish, asked | {"name": options.model}, request.headers, options)

    def whole(self, answer: Answer) -> Body:
        job = answer.job
        return bodies.json(output(job, job.words(0, 0, job.tokens)))

    def events(self, answer: Answer) -> Events:
        return _Stream(answer, self.error)

    @staticmethod
    def _flat(asked: dict[str, Any]) -> dict[str, Any]:
        """Inputs may stand in `parameters` as well."""
        parameters = asked.get("parameters")
        return {**parameters, **asked} if isinstance(parameters, dict) else asked


class GenerateStream(Generate):
    """`POST /v2/models/<model>/generate_stream`."""

    endpoint = f"{_GENERATE}_stream"
    stream = True


class _Stream(Events):
    ending = ()

    def content(self, start: int, stop: int) -> list[bytes]:
        words = self.job.words(0, start, stop)
        return [b"data: %s\n\n" % bodies.json(output(self.job, [word])).data() for word in words]


def output(job: Job, words: list[bytes]) -> dict[str, Any]:
    """The outputs of the ensemble for so many tokens."""
    meter, asked = Meter(job), job.asked
    counts = meter.counts()
    made = len(words) if job.directive.usage not in ("zero", "huge") else counts.completion
    counted = {"num_input_tokens": counts.prompt, "num_output_tokens": made}
    return {
        "model_name": asked["name"],
        "model_version": "1",
        "sequence_end": False,
        "sequence_id": 0,
        "sequence_index": 0,
        "batch_index": 0,
        "cum_log_probs": 0.0,
        "output_log_probs": [0.0] * len(words),
        **{name: count for name, count in counted.items() if asked.get(f"return_{name}") is True and meter.in_whole},
        "text_output": Tokens(words),
    }


def _metadata(engine: Engine) -> Page:
    inputs = [{"name": "text_input", "datatype": "BYTES", "shape": [-1]}]
    outputs = [{"name": "text_output", "datatype": "BYTES", "shape": [-1]}]
    described = {"versions": ["1"], "platform": "ensemble", "inputs": inputs, "outputs": outputs}
    return Page(200, JSON, orjson.dumps({"name": engine.options.model, **described}))


PAGES: Pages = {
    ("GET", "/v2"): document({"name": "triton", "version": "2.60.0", "extensions": ["generate"]}),
    ("GET", "/v2/health/live"): empty,
    ("GET", "/v2/health/ready"): empty,
    ("GET", "/v2/models/{model}"): _metadata,
    ("GET", "/v2/models/{model}/ready"): empty,
}
