"""Hugging Face's text-generation-inference 3: its native API, and its chat.

One deviation keeps counting simple: the event that ends a native stream always is a special token of its own, and
`generated_tokens` does not count it.
"""

from typing import Any
from zlib import crc32

import orjson

from inference.simulator import bodies, fields, jobs, logprobs, prompts
from inference.simulator.bodies import JSON, Body, Tokens
from inference.simulator.chat import Chat
from inference.simulator.chunks import Document
from inference.simulator.dialects import Answer, Error, Events, Streamed
from inference.simulator.engine import Engine
from inference.simulator.jobs import FinishReason, Job, Wish
from inference.simulator.metering import Counts, Meter
from inference.simulator.options import Options
from inference.simulator.pages import Page, Pages, empty
from inference.simulator.protocol import Request
from inference.simulator.refusals import Refused

VERSION = "3.3.4"
_FINGERPRINT = f"{VERSION}-simulator"
_KINDS = {
    400: "validation",
    404: "not_found",
    422: "validation",
    424: "generation",
    429: "overloaded",
    500: "generation",
}


def error(status: int, message: str, kind: str | None = None, param: str | None = None) -> bytes:
    """A message and a type of error."""
    del kind, param
    return orjson.dumps(
        {"error": message, "error_type": _KINDS.get(status, "generation" if status > 499 else "validation")}
    )


def check(parameters: Document, grammar: Any) -> None:
    """What it takes of sampling, in its own bounds. Raises Refused."""
    top_p, seed, stop = parameters.get("top_p"), parameters.get("seed"), parameters.get("stop")
    if top_p is not None and not 0 < top_p < 1:
        raise Refused(422, "`top_p` must be > 0.0 and < 1.0")
    if seed is not None and seed < 0:
        raise Refused(422, "invalid value: integer, expected u64")
    if stop is not None and not isinstance(stop, list):
        raise Refused(422, "invalid type: string, expected a sequence")
    if isinstance(grammar, dict) and "properties" not in (grammar.get("value") or {}):
        raise Refused(422, "Grammar must have a 'properties' field")


class Generate(Streamed):
    """`POST /generate`: `inputs` and `parameters` in, a text and, where asked, its details out."""

    endpoint = "/generate"
    failure = 424

    def __init__(self, error: Error = error) -> None:
        super().__init__(error)

    def read(self, request: Request, options: Options) -> Job:
        asked = fields.members(request)
        parameters = asked.get("parameters") or {}
        if not isinstance(parameters, dict):
            raise Refused(422, "parameters: expected an object")
        grammar = parameters.get("grammar")
        check(parameters, grammar)
        wish = Wish(
            prompts=(prompts.of_text(fields.text(asked, "inputs")),),
            stream=self.streams(asked),
            limit=fields.whole(parameters, "max_new_tokens"),
            usual_limit=100,
            schema=grammar.get("value") if isinstance(grammar, dict) and grammar.get("type") == "json" else None,
        )
        return jobs.generating(wish, parameters, request.headers, options)

    def streams(self, asked: Document) -> bool:
        """Whether the answer is a stream."""
        del asked
        return False

    def whole(self, answer: Answer) -> Body:
        job = answer.job
        words = job.words(0, 0, job.tokens)
        text: Document = {"generated_text": Tokens(words)}
        if job.asked.get("details") is True or job.asked.get("decoder_input_details") is True:
            text["details"] = self._details(job, words)
        return bodies.json(text)

    def events(self, answer: Answer) -> Events:
        return _Stream(answer, self.error)

    def headers(self, answer: Answer) -> bytes:
        meter = Meter(answer.job)
        if answer.job.stream or not meter.in_whole:
            return b"x-compute-type: 1-simulator\r\n"
        counts = meter.counts()
        lines = f"x-prompt-tokens: {counts.prompt}\r\nx-generated-tokens: {counts.completion}\r\n"
        return f"x-compute-type: 1-simulator\r\n{lines}".encode()

    @staticmethod
    def _details(job: Job, words: list[bytes]) -> Document:
        counts = Meter(job).counts()
        read = job.asked.get("decoder_input_details") is True
        return {
            "finish_reason": _reason(job),
            "generated_tokens": counts.completion,
            "seed": None,
            "prefill": [{"id": at, "text": "", "logprob": None} for at in range(counts.prompt)] if read else [],
            "tokens": [_token(orjson.loads(b'"%s"' % word)) for word in words],
        }


class GenerateStream(Generate):
    """`POST /generate_stream`: always a stream."""

    endpoint = "/generate_stream"

    def streams(self, asked: Document) -> bool:
        if (asked.get("parameters") or {}).get("best_of") not in (None, 1):
            raise Refused(422, "`best_of` != 1 is not supported when streaming tokens")
        return True


class CompatGenerate(Generate):
    """`POST /`: a stream where the body says `stream`."""

    endpoint = "/"

    def streams(self, asked: Document) -> bool:
        return fields.boolean(asked, "stream")


class _Stream(Events):
    """An event for each token; no end marker but the last event's `generated_text`, which `no_done` leaves out."""

    def __init__(self, answer: Answer, error: Error) -> None:
        super().__init__(answer, error)
        self._answer = answer

    def content(self, start: int, stop: int) -> list[bytes]:
        return [self._event(at, _slotted(word)) for at, word in enumerate(self.job.words(0, start, stop), start)]

    def error(self, message: str) -> list[bytes]:
        self.ending = ()
        return [b"data:%s\n\n" % self._error(424, message, None, None)]

    def dones(self) -> list[bytes]:
        if self.ending:
            self.ending = (self._last(),)
        return super().dones()

    def _last(self) -> bytes:
        words = Tokens(self.job.words(0, 0, self.job.tokens))
        counts = self.meter.counts()
        counted = {"generated_tokens": counts.completion, "seed": None, "input_length": counts.prompt}
        details = {"finish_reason": _reason(self.job), **counted} if self.meter.in_whole else None
        return self._event(self.job.tokens, _token("</s>", special=True), words, details)

    def _event(self, at: int, token: Document, text: Tokens | None = None, details: Document | None = None) -> bytes:
        document = {"index": at + 1, "token": token, "generated_text": text, "details": details}
        return b"data:%s\n\n" % bodies.json(document).data()


class TgiChat(Chat):
    """Every delta names the role; there is no chunk for it alone. Any name of a model will do."""

    id_prefix = ""
    failure = 424

    def __init__(self, error: Error = error) -> None:
        super().__init__(error)

    def document(self, request: Request, options: Options) -> Document:
        asked = fields.members(request)
        check(asked, asked.get("response_format"))
        return asked

    def usage_wanted(self, asked: Document, stream: bool) -> tuple[bool, bool]:
        wanted = asked.get("stream_options")
        return isinstance(wanted, dict) and wanted.get("include_usage") is True, False

    def head(self, answer: Answer, object_: str) -> Document:
        head = super().head(answer, object_)
        named = {"object": object_, "id": "", "created": head["created"], "model": answer.model}
        return named | {"system_fingerprint": _FINGERPRINT}

    def chunk(self, index: int, delta: Document, logprobs: Any, finish: FinishReason | None) -> Document:
        return {"index": index, "delta": {"role": "assistant", **delta}, "logprobs": logprobs, "finish_reason": finish}

    def role(self, job: Job) -> Document | None:
        return None

    def usage(self, counts: Counts) -> bytes:
        total = counts.prompt + counts.completion
        return orjson.dumps(
            {"prompt_tokens": counts.prompt, "completion_tokens": counts.completion, "total_tokens": total}
        )

    def no_usage(self, job: Job) -> bytes:
        return b',"usage":null'

    def closing(self, usage: Document, answer: Answer) -> Document:
        return usage

    def choice(self, answer: Answer, index: int, said: Document) -> Document:
        logprobs = self.whole_logprobs(answer, index)
        message = {"role": "assistant", **said}
        return {"index": index, "message": message, "logprobs": logprobs, "finish_reason": answer.job.finish_reason}


def _reason(job: Job) -> str:
    return "length" if job.finish_reason == "length" else "eos_token"


def _token(text: str, *, special: bool = False) -> Document:
    logprob = logprobs.value(text)
    return {"id": crc32(text.encode()) % 128_000, "text": text, "logprob": logprob, "special": special}


def _slotted(word: bytes) -> Document:
    text: str = orjson.loads(b'"%s"' % word)
    return _token(text) | {"text": Tokens([word])}


def _info(engine: Engine) -> Page:
    options = engine.options
    info = {
        "model_id": options.model,
        "model_sha": "simulator",
        "model_pipeline_tag": "text-generation",
        "max_concurrent_requests": options.max_num_seqs,
        "max_best_of": 2,
        "max_stop_sequences": 4,
        "max_input_tokens": options.max_model_len - 1,
        "max_total_tokens": options.max_model_len,
        "validation_workers": 2,
        "max_client_batch_size": 4,
        "router": "text-generation-router",
        "version": VERSION,
        "sha": "simulator",
        "docker_label": None,
    }
    return Page(200, JSON, orjson.dumps(info))


def _models(engine: Engine) -> Page:
    name = engine.options.model
    card = {"id": name, "object": "model", "created": 0, "owned_by": name}
    return Page(200, JSON, orjson.dumps({"object": "list", "data": [card]}))


PAGES: Pages = {("GET", "/info"): _info, ("GET", "/health"): empty, ("GET", "/v1/models"): _models}
