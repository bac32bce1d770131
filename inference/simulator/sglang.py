"""SGLang: OpenAI's APIs with its own members, and its native `/generate`, whose events repeat the text so far."""

from typing import Any

import orjson

from inference.simulator import bodies, fields, jobs, prompts
from inference.simulator.bodies import JSON, Body, Tokens
from inference.simulator.chat import Chat
from inference.simulator.chunks import Document
from inference.simulator.completions import Completions
from inference.simulator.dialects import Answer, Error, Events, Streamed
from inference.simulator.directives import HUGE
from inference.simulator.engine import Engine
from inference.simulator.jobs import FinishReason, Job, Wish
from inference.simulator.metering import Counts
from inference.simulator.options import Options
from inference.simulator.pages import Page, Pages, empty, models
from inference.simulator.prompts import Prompt
from inference.simulator.protocol import Request, phrase

_BLANK = {"role": None, "content": None, "reasoning_content": None, "tool_calls": None}


def error(status: int, message: str, kind: str | None = None, param: str | None = None) -> bytes:
    """The error's members without anything around them."""
    detail = {"object": "error", "message": message, "type": kind or phrase(status), "param": param, "code": status}
    return orjson.dumps(detail)


def native_error(status: int, message: str, kind: str | None = None, param: str | None = None) -> bytes:
    """The native API's error."""
    del status, kind, param
    return orjson.dumps({"error": {"message": message}})


def usage(counts: Counts) -> bytes:
    """Usage, with the reasoning beside the other counts."""
    return orjson.dumps(
        {
            "prompt_tokens": counts.prompt,
            "total_tokens": counts.prompt + counts.completion,
            "completion_tokens": counts.completion,
            "prompt_tokens_details": {"cached_tokens": counts.cached} if counts.cached else None,
            "reasoning_tokens": counts.reasoning,
        }
    )


class SglangChat(Chat):
    """A delta names all of its members; what stopped it is called `matched_stop`."""

    id_prefix = ""

    def __init__(self, error: Error = error) -> None:
        super().__init__(error)

    def chunk(self, index: int, delta: Document, logprobs: Any, finish: FinishReason | None) -> Document:
        choice = {"index": index, "delta": _BLANK | delta, "logprobs": logprobs, "finish_reason": finish}
        return choice | {"matched_stop": 2 if finish == "stop" else None}

    def last(self, job: Job) -> Document:
        return {}

    def reasoning(self, text: Any) -> Document:
        return {"reasoning_content": text}

    def usage(self, counts: Counts) -> bytes:
        return usage(counts)

    def no_usage(self, job: Job) -> bytes:
        return b',"usage":null'

    def closing(self, usage: Document, answer: Answer) -> Document:
        return usage | {"metadata": {"weight_version": "default"}}

    def choice(self, answer: Answer, index: int, said: Document) -> Document:
        message = {"role": "assistant", "content": None, "reasoning_content": None, "tool_calls": None, **said}
        logprobs, finish = self.whole_logprobs(answer, index), answer.job.finish_reason
        choice = {"index": index, "message": message, "logprobs": logprobs, "finish_reason": finish}
        return choice | {"matched_stop": 2 if finish == "stop" else None}


class SglangCompletions(Completions):
    """The same for completions."""

    id_prefix = ""

    def __init__(self, error: Error = error) -> None:
        super().__init__(error)

    def chunk(self, index: int, delta: Document, logprobs: Any, finish: FinishReason | None) -> Document:
        choice = {"index": index, **delta, "logprobs": logprobs, "finish_reason": finish}
        return choice | {"matched_stop": 2 if finish == "stop" else None}

    def usage(self, counts: Counts) -> bytes:
        return usage(counts)

    def no_usage(self, job: Job) -> bytes:
        return b',"usage":null'


class Generate(Streamed):
    """`POST /generate`: a text or token ids in, a text and `meta_info` out."""

    endpoint = "/generate"

    def __init__(self, error: Error = native_error) -> None:
        super().__init__(error)

    def read(self, request: Request, options: Options) -> Job:
        asked = fields.members(request)
        sampling = asked.get("sampling_params")
        sampling = sampling if isinstance(sampling, dict) else {}
        wish = Wish(
            prompts=self._prompts(asked),
            stream=fields.boolean(asked, "stream"),
            limit=fields.whole(sampling, "max_new_tokens"),
            usual_limit=128,
            ignore_eos=fields.boolean(sampling, "ignore_eos"),
        )
        return jobs.generating(wish, asked, request.headers, options)

    def whole(self, answer: Answer) -> Body:
        return bodies.json(said(answer, answer.job.tokens, ended=True))

    def events(self, answer: Answer) -> Events:
        return _Stream(answer, self.error)

    @staticmethod
    def _prompts(asked: Document) -> tuple[Prompt, ...]:
        if "input_ids" in asked:
            return (prompts.of_completion(asked["input_ids"])[0],)
        return (prompts.of_text(fields.text(asked, "text")),)


class _Stream(Events):
    """Each event has all of the text so far."""

    def __init__(self, answer: Answer, error: Error) -> None:
        super().__init__(answer, error)
        self._answer = answer

    def content(self, start: int, stop: int) -> list[bytes]:
        return [self._event(at + 1, ended=False) for at in range(start, stop)]

    def finishes(self) -> list[bytes]:
        return [self._event(self.job.tokens, ended=True)]

    def _event(self, tokens: int, *, ended: bool) -> bytes:
        return b"data: %s\n\n" % bodies.json(said(self._answer, tokens, ended=ended)).data()


def said(answer: Answer, tokens: int, *, ended: bool) -> Document:
    """What the model has said so far, and what is known of it."""
    job = answer.job
    finish = {"type": "length", "length": tokens} if job.finish_reason == "length" else {"type": "stop", "matched": 2}
    info = {"id": answer.id, "finish_reason": finish if ended else None, "weight_version": "default"}
    return {
        "text": Tokens(job.words(0, 0, tokens)),
        "output_ids": list(range(tokens)),
        "meta_info": info | _counts(job, tokens) | ({"e2e_latency": 0.1} if ended else {}),
    }


def _counts(job: Job, tokens: int) -> Document:
    kind = job.directive.usage
    if kind == "none":
        return {}
    constant = {"zero": 0, "huge": HUGE}.get(kind or "")
    counted = {"prompt_tokens": job.prompt_tokens, "completion_tokens": tokens, "cached_tokens": job.cached_tokens}
    return counted if constant is None else dict.fromkeys(counted, constant)


def _info(engine: Engine) -> Page:
    name = engine.options.model
    info = {"model_path": name, "tokenizer_path": name, "is_generation": True, "weight_version": "default"}
    return Page(200, JSON, orjson.dumps(info))


PAGES: Pages = {
    ("GET", "/v1/models"): models,
    ("GET", "/health"): empty,
    ("GET", "/health_generate"): empty,
    ("GET", "/get_model_info"): _info,
}
