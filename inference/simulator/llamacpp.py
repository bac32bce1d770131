"""llama.cpp's server: OpenAI's APIs with `timings`, and its own health, properties and tokens."""

from typing import Any

import orjson

from inference.simulator.bodies import JSON
from inference.simulator.chat import Chat
from inference.simulator.chunks import Document
from inference.simulator.completions import Completions
from inference.simulator.dialects import Answer, Error
from inference.simulator.engine import Engine
from inference.simulator.guards import bearer
from inference.simulator.jobs import FinishReason, Job
from inference.simulator.latency import Latency
from inference.simulator.metering import Counts, Meter
from inference.simulator.openai import usage_wanted
from inference.simulator.pages import Page, Pages, document
from inference.simulator.protocol import Request

_BUILD = "b6500-simulator"
_KINDS = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    501: "not_supported_error",
    503: "unavailable_error",
}
_OPEN = ("/health", "/v1/models", "/models")


def error(status: int, message: str, kind: str | None = None, param: str | None = None) -> bytes:
    """Code, message and type."""
    del kind, param
    type_ = _KINDS.get(status, "server_error" if status >= 500 else "invalid_request_error")
    return orjson.dumps({"error": {"code": status, "message": message, "type": type_}})


def guard(request: Request, key: str | None) -> None:
    """A bearer token for all but what shows that it lives. Raises Refused."""
    if request.path not in _OPEN:
        bearer(request, key)


def timings(job: Job) -> Document:
    """How long reading and writing took, by the latency model alone."""
    counts, latency = Meter(job).counts(), Latency()
    read, made = max(0, counts.prompt - counts.cached), counts.completion
    reading, writing = latency.ttft(read) * 1000, latency.gap(1) * made * 1000
    return {
        "cache_n": counts.cached,
        "prompt_n": read,
        "prompt_ms": reading,
        "prompt_per_token_ms": reading / max(1, read),
        "prompt_per_second": read / reading * 1000,
        "predicted_n": made,
        "predicted_ms": writing,
        "predicted_per_token_ms": writing / max(1, made),
        "predicted_per_second": made / writing * 1000 if writing else 0.0,
    }


def usage(counts: Counts) -> bytes:
    """Usage in three numbers."""
    total = counts.prompt + counts.completion
    return orjson.dumps({"completion_tokens": counts.completion, "prompt_tokens": counts.prompt, "total_tokens": total})


class LlamaChat(Chat):
    """The last chunk has the timings, and where it is asked for the usage."""

    def __init__(self, error: Error = error) -> None:
        super().__init__(error)

    def usage_wanted(self, asked: Document, stream: bool) -> tuple[bool, bool]:
        return usage_wanted(asked)

    def head(self, answer: Answer, object_: str) -> Document:
        return super().head(answer, object_) | {"system_fingerprint": _BUILD}

    def role(self, job: Job) -> Document | None:
        return {"role": "assistant", "content": None}

    def last(self, job: Job) -> Document:
        return {}

    def chunk(self, index: int, delta: Document, logprobs: Any, finish: FinishReason | None) -> Document:
        choice = {"finish_reason": finish, "index": index, "delta": delta}
        return choice if logprobs is None else choice | {"logprobs": logprobs}

    def reasoning(self, text: Any) -> Document:
        return {"reasoning_content": text}

    def usage(self, counts: Counts) -> bytes:
        return usage(counts)

    def epilogue(self, answer: Answer) -> Document:
        return {"timings": timings(answer.job)}

    def closing(self, usage: Document, answer: Answer) -> Document:
        return usage | {"timings": timings(answer.job)}

    def choice(self, answer: Answer, index: int, said: Document) -> Document:
        choice = {"finish_reason": answer.job.finish_reason, "index": index, "message": {"role": "assistant", **said}}
        logprobs = self.whole_logprobs(answer, index)
        return choice if logprobs is None else choice | {"logprobs": logprobs}


class LlamaCompletions(Completions):
    """The same for completions."""

    def __init__(self, error: Error = error) -> None:
        super().__init__(error)

    def usage_wanted(self, asked: Document, stream: bool) -> tuple[bool, bool]:
        return usage_wanted(asked)

    def head(self, answer: Answer, object_: str) -> Document:
        return super().head(answer, object_) | {"system_fingerprint": _BUILD}

    def chunk(self, index: int, delta: Document, logprobs: Any, finish: FinishReason | None) -> Document:
        return {**delta, "index": index, "logprobs": logprobs, "finish_reason": finish}

    def usage(self, counts: Counts) -> bytes:
        return usage(counts)

    def epilogue(self, answer: Answer) -> Document:
        return {"timings": timings(answer.job)}


def _models(engine: Engine) -> Page:
    meta = {"n_ctx_train": engine.options.max_model_len}
    card = {"id": engine.options.model, "object": "model", "created": engine.started_at, "owned_by": "llamacpp"}
    return Page(200, JSON, orjson.dumps({"object": "list", "data": [card | {"meta": meta}]}))


def _properties(engine: Engine) -> Page:
    options = engine.options
    settings = {"default_generation_settings": {"n_ctx": options.max_model_len}, "total_slots": options.max_num_seqs}
    return Page(200, JSON, orjson.dumps({**settings, "model_path": options.model, "build_info": _BUILD}))


PAGES: Pages = {
    ("GET", "/health"): document({"status": "ok"}),
    ("GET", "/v1/models"): _models,
    ("GET", "/models"): _models,
    ("GET", "/props"): _properties,
}
