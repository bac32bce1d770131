"""`POST /v1/completions` as vLLM serves it."""

import time
from typing import Any

import orjson

from inference.simulator import bodies, fields, jobs, logprobs, prompts
from inference.simulator.bodies import Body, Tokens
from inference.simulator.chunks import Choices, Chunks, Document
from inference.simulator.dialects import Answer
from inference.simulator.jobs import FinishReason, Job, Wish
from inference.simulator.metering import Meter
from inference.simulator.options import Options
from inference.simulator.protocol import Request
from inference.simulator.scripts import Said, escaped


class Completions(Choices):
    """vLLM's completions: a choice for each prompt and each of its `n`."""

    endpoint = "/v1/completions"
    id_prefix = "cmpl-"
    chunk_object = whole_object = "text_completion"

    def read(self, request: Request, options: Options) -> Job:
        asked = fields.document(request, options)
        fields.check_sampling(asked)
        stream = fields.boolean(asked, "stream")
        include, continuous = self.usage_wanted(asked, stream)
        fields.boolean(asked, "echo")
        wish = Wish(
            prompts=tuple(prompts.of_completion(asked.get("prompt"))),
            stream=stream,
            n=fields.whole(asked, "n") or 1,
            limit=fields.whole(asked, "max_tokens"),
            usual_limit=16,
            include_usage=include,
            continuous_usage=continuous,
            ignore_eos=fields.boolean(asked, "ignore_eos"),
            cache_salt=str(asked.get("cache_salt") or ""),
            stops=fields.stops(asked, "stop"),
        )
        return jobs.generating(wish, asked, request.headers, options)

    def usage_wanted(self, asked: Document, stream: bool) -> tuple[bool, bool]:
        """Whether usage comes at the end, and in every chunk."""
        return fields.usage_wanted(asked, stream)

    def head(self, answer: Answer, object_: str) -> Document:
        return {"id": answer.id, "object": object_, "created": int(time.time()), "model": answer.model}

    def chunk(self, index: int, delta: Document, logprobs: Any, finish: FinishReason | None) -> Document:
        rest = {"stop_reason": None, "prompt_token_ids": None, "token_ids": None}
        return {"index": index, **delta, "logprobs": logprobs, "finish_reason": finish, **rest}

    def deltas(self, answer: Answer, choice: int, said: Said) -> list[Document]:
        return [{"text": Tokens([said.word])}]

    def last(self, job: Job) -> Document:
        return {"text": ""}

    def logprobs(self, job: Job, words: list[bytes]) -> Any:
        top = fields.whole(job.asked, "logprobs", at_least=0)
        return None if top is None else logprobs.of_completion(words, top)

    def events(self, answer: Answer) -> Chunks:
        return _Echoing(answer, self) if answer.job.asked.get("echo") else Chunks(answer, self)

    def whole(self, answer: Answer) -> Body:
        job, meter = answer.job, Meter(answer.job)
        choices = [self.choice(answer, index) for index in range(len(job.choices))]
        usage = {"usage": orjson.Fragment(self.usage(meter.counts()))} if meter.in_whole else {}
        return bodies.json(self.head(answer, self.whole_object) | {"choices": choices} | self.closing(usage))

    def closing(self, usage: Document) -> Document:
        """The members after the choices."""
        return {"service_tier": None, "system_fingerprint": None, **usage, "kv_transfer_params": None}

    def choice(self, answer: Answer, index: int) -> Document:
        """One choice of a whole answer."""
        job, said = answer.job, answer.job.words(index, 0, answer.job.tokens)
        echoed = escaped(echo(job, index)) if job.asked.get("echo") else b""
        return {
            "index": index,
            "text": Tokens([echoed + said[0], *said[1:]] if said else [echoed]),
            "logprobs": self.logprobs(job, said),
            "finish_reason": job.finish_reason,
            "stop_reason": job.stopped_by,
            "token_ids": None,
            "prompt_logprobs": None,
            "prompt_token_ids": None,
        }


class _Echoing(Chunks):
    """A stream that begins with its prompts; an event of a prompt is no token."""

    def opening(self) -> list[bytes]:
        choices = range(len(self.job.choices))
        return [self._event(choice, 0, self._chunk(choice, {"text": echo(self.job, choice)})) for choice in choices]


def echo(job: Job, choice: int) -> str:
    """The prompt of a choice as text; token ids have none that the simulator knows but their numbers."""
    return job.prompts[choice // job.n].content.decode("utf-8", "replace")
