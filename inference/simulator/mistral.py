"""Mistral's API: its names of fields, 422 for others, and usage with the last choice whether asked for or not.

What it reasons is a part of content that is a list then. Of roles it has no `developer`, and a message has no members
but its own.
"""

from dataclasses import replace
from typing import Any

import orjson

from inference.simulator import fields
from inference.simulator.bodies import Tokens
from inference.simulator.chat import Chat
from inference.simulator.chunks import Document
from inference.simulator.dialects import Answer, Error
from inference.simulator.embeddings import Embeddings
from inference.simulator.jobs import Job
from inference.simulator.llamacpp import usage
from inference.simulator.metering import Counts, Meter
from inference.simulator.options import Options
from inference.simulator.pages import Pages, models
from inference.simulator.protocol import Request
from inference.simulator.refusals import Refused

_KNOWN = frozenset(
    {
        "model",
        "messages",
        "stream",
        "max_tokens",
        "temperature",
        "top_p",
        "stop",
        "random_seed",
        "n",
        "presence_penalty",
        "frequency_penalty",
        "response_format",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "prompt_mode",
        "prompt_cache_key",
        "reasoning_effort",
        "safe_prompt",
        "prediction",
    }
)
_KNOWN_IN_MESSAGES = frozenset({"role", "content", "name", "prefix", "tool_calls", "tool_call_id"})
_ROLES = ("system", "user", "assistant", "tool")
_KNOWN_TO_EMBED = frozenset({"model", "input", "encoding_format", "output_dimension", "output_dtype"})


def error(status: int, message: str, kind: str | None = None, param: str | None = None) -> bytes:
    """An error body: a validation's message is a list."""
    if status == 422:
        detail = [{"type": "extra_forbidden", "loc": ["body", param], "msg": message}]
        return orjson.dumps({"object": "error", "message": {"detail": detail}, "type": "invalid_request_error"})
    return orjson.dumps({"object": "error", "message": message, "type": kind, "param": param, "code": str(status)})


def known(request: Request, options: Options, names: frozenset[str]) -> Document:
    """The body, if it has none but these members. Raises Refused."""
    asked = fields.document(request, options)
    for name in asked.keys() - names:
        raise Refused(422, "Extra inputs are not permitted", param=name)
    return asked


class MistralChat(Chat):
    """Its last choice has the usage."""

    id_prefix = ""

    def __init__(self, error: Error = error) -> None:
        super().__init__(error)

    def document(self, request: Request, options: Options) -> Document:
        asked = known(request, options, _KNOWN)
        for message in asked.get("messages") or ():
            unknown = message.keys() - _KNOWN_IN_MESSAGES
            if unknown or message.get("role") not in _ROLES:
                raise Refused(422, "Extra inputs are not permitted", param="messages")
        return asked

    def usage_wanted(self, asked: Document, stream: bool) -> tuple[bool, bool]:
        return False, False

    def chunk(self, index: int, delta: Document, logprobs: object, finish: object) -> Document:
        return {"index": index, "delta": delta, "finish_reason": finish}

    def usage(self, counts: Counts) -> bytes:
        return usage(counts)

    def epilogue(self, answer: Answer) -> Document:
        meter = Meter(answer.job)
        return {"usage": orjson.Fragment(self.usage(meter.counts()))} if meter.in_whole else {}

    def closing(self, usage: Document, answer: Answer) -> Document:
        return usage

    def role(self, job: Job) -> Document | None:
        return {"role": "assistant", "content": ""}

    def reasoning(self, text: Any) -> Document:
        return {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": text}]}]}

    def choice(self, answer: Answer, index: int, said: Document) -> Document:
        job = answer.job
        thought = [Tokens(job.part_words(index, part)) for part in job.parts if part.kind == "reasoning"]
        content = said.pop("content", None)
        if thought:
            text = [] if content is None or isinstance(content, list) else [{"type": "text", "text": content}]
            content = self.reasoning(thought[0])["content"] + text
        message = {"role": "assistant", "content": content, "tool_calls": said.get("tool_calls")}
        return {"index": index, "message": message, "finish_reason": job.finish_reason}


class MistralEmbeddings(Embeddings):
    """`output_dimension` in place of `dimensions`."""

    def read(self, request: Request, options: Options) -> Job:
        asked = known(request, options, _KNOWN_TO_EMBED)
        job = super().read(request, options)
        return replace(job, asked=asked | {"dimensions": asked.get("output_dimension")})


PAGES: Pages = {("GET", "/v1/models"): models}
