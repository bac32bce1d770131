"""OpenAI's own wire: usage only when asked for and only at the end, a service tier, a fingerprint, its error codes."""

from typing import Any

import orjson

from inference.simulator.bodies import JSON
from inference.simulator.chat import Chat, usage_with_details
from inference.simulator.chunks import Document
from inference.simulator.completions import Completions
from inference.simulator.dialects import Answer
from inference.simulator.embeddings import Embeddings
from inference.simulator.engine import Engine
from inference.simulator.jobs import FinishReason, Job
from inference.simulator.metering import Counts, Meter
from inference.simulator.pages import Page, Pages
from inference.simulator.responses import Responses
from inference.simulator.scripts import Said

FINGERPRINT = "fp_5f1d3c2b1a"
_CODES = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}


def error(status: int, message: str, kind: str | None = None, param: str | None = None) -> bytes:
    """OpenAI's error body: the code is a word or null."""
    del kind
    type_ = "server_error" if status >= 500 else "requests" if status == 429 else "invalid_request_error"
    detail = {"message": message, "type": type_, "param": param, "code": _CODES.get(status)}
    return orjson.dumps({"error": detail})


def usage_wanted(asked: Document) -> tuple[bool, bool]:
    """Usage only where the client names `include_usage`, and never before the end."""
    wanted = asked.get("stream_options")
    return isinstance(wanted, dict) and wanted.get("include_usage") is True, False


def headers(answer: Answer) -> bytes:
    """What every answer of OpenAI's has, and a little of what says how much may still come."""
    named = f"x-request-id: req_{answer.id.rpartition('-')[2]}\r\n".encode("latin-1")
    named += b"openai-version: 2020-10-01\r\nopenai-processing-ms: 42\r\n"
    return named + b"x-ratelimit-limit-requests: 10000\r\nx-ratelimit-remaining-requests: 9999\r\n"


class OpenAiChat(Chat):
    """It reasons where nobody sees it: the tokens count, the text is kept."""

    def usage_wanted(self, asked: Document, stream: bool) -> tuple[bool, bool]:
        return usage_wanted(asked)

    def head(self, answer: Answer, object_: str) -> Document:
        return super().head(answer, object_) | {"service_tier": "default", "system_fingerprint": FINGERPRINT}

    def role(self, job: Job) -> Document | None:
        return {"role": "assistant", "content": "", "refusal": None}

    def last(self, job: Job) -> Document:
        return {}

    def chunk(self, index: int, delta: Document, logprobs: Any, finish: FinishReason | None) -> Document:
        return {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish}

    def deltas(self, answer: Answer, choice: int, said: Said) -> list[Document]:
        return [] if said.part.kind == "reasoning" else super().deltas(answer, choice, said)

    def reasoning(self, text: Any) -> Document:
        return {}

    def usage(self, counts: Counts) -> bytes:
        return usage_with_details(counts)

    def no_usage(self, job: Job) -> bytes:
        return b',"usage":null' if job.include_usage else b""

    def closing(self, usage: Document, answer: Answer) -> Document:
        return usage

    def choice(self, answer: Answer, index: int, said: Document) -> Document:
        message = {"role": "assistant", **said, "refusal": said.get("refusal"), "annotations": []}
        logprobs = self.whole_logprobs(answer, index)
        return {"index": index, "message": message, "logprobs": logprobs, "finish_reason": answer.job.finish_reason}

    def headers(self, answer: Answer) -> bytes:
        return headers(answer)


class OpenAiCompletions(Completions):
    """The legacy API."""

    def usage_wanted(self, asked: Document, stream: bool) -> tuple[bool, bool]:
        return usage_wanted(asked)

    def head(self, answer: Answer, object_: str) -> Document:
        return super().head(answer, object_) | {"system_fingerprint": FINGERPRINT}

    def chunk(self, index: int, delta: Document, logprobs: Any, finish: FinishReason | None) -> Document:
        return {"index": index, **delta, "logprobs": logprobs, "finish_reason": finish}

    def no_usage(self, job: Job) -> bytes:
        return b',"usage":null' if job.include_usage else b""

    def usage(self, counts: Counts) -> bytes:
        return usage_with_details(counts)

    def closing(self, usage: Document) -> Document:
        return usage

    def choice(self, answer: Answer, index: int) -> Document:
        choice = super().choice(answer, index)
        return {name: choice[name] for name in ("index", "text", "logprobs", "finish_reason")}

    def headers(self, answer: Answer) -> bytes:
        return headers(answer)


class OpenAiEmbeddings(Embeddings):
    """Without an id, and with only what was read in the usage."""

    def head(self, answer: Answer) -> Document:
        return {"object": "list"}

    def usage(self, meter: Meter) -> Document:
        counts = meter.counts()
        return {"prompt_tokens": counts.prompt, "total_tokens": counts.prompt}

    def headers(self, answer: Answer) -> bytes:
        return headers(answer)


class OpenAiResponses(Responses):
    """The same API with OpenAI's headers, its event for what was cut, and room for an error."""

    tells_of_cuts = True

    def response(self, answer: Answer, status: str, output: list[Document], usage: Document | None) -> Document:
        return super().response(answer, status, output, usage) | {"error": None}

    def headers(self, answer: Answer) -> bytes:
        return headers(answer)


def _models(engine: Engine) -> Page:
    card = {"id": engine.options.model, "object": "model", "created": engine.started_at, "owned_by": "openai"}
    return Page(200, JSON, orjson.dumps({"object": "list", "data": [card]}))


PAGES: Pages = {("GET", "/v1/models"): _models}
