"""`POST /v1/chat/completions` as vLLM serves it."""

import time
from typing import Any

import orjson

from inference.simulator import bodies, fields, jobs, logprobs, prompts, tools
from inference.simulator.bodies import Body, Tokens
from inference.simulator.chunks import Choices, Document
from inference.simulator.dialects import Answer
from inference.simulator.jobs import FinishReason, Job, Wish
from inference.simulator.metering import Counts, Meter
from inference.simulator.options import Options
from inference.simulator.protocol import Request
from inference.simulator.refusals import Refused
from inference.simulator.scripts import Said


class Chat(Choices):
    """vLLM's chat; other engines override what they word differently."""

    endpoint = "/v1/chat/completions"
    id_prefix = "chatcmpl-"
    chunk_object = "chat.completion.chunk"
    call_prefix = "call_"
    """Before the ids of calls."""
    whole_object = "chat.completion"

    def read(self, request: Request, options: Options) -> Job:
        asked = self.document(request, options)
        fields.check_sampling(asked)
        stream = fields.boolean(asked, "stream")
        include, continuous = self.usage_wanted(asked, stream)
        offered = tools.offered(asked)
        limit = fields.whole(asked, "max_completion_tokens")
        wish = Wish(
            prompts=(prompts.of_messages(asked.get("messages"), asked.get("tools")),),
            stream=stream,
            n=fields.whole(asked, "n") or 1,
            limit=fields.whole(asked, "max_tokens") if limit is None else limit,
            include_usage=include,
            continuous_usage=continuous,
            ignore_eos=fields.boolean(asked, "ignore_eos"),
            cache_salt=str(asked.get("cache_salt") or ""),
            tools=tools.usable(asked, offered),
            called=tools.forced(asked, offered),
            schema=schema(asked),
            text=choice_of_texts(asked),
            stops=fields.stops(asked, "stop"),
        )
        job = jobs.generating(wish, asked, request.headers, options)
        if wish.called and isinstance(asked.get("tool_choice"), dict) and job.finish_reason == "tool_calls":
            job.finish_reason = "stop"  # a call of the one tool that was named is no decision of the model
        return job

    def document(self, request: Request, options: Options) -> Document:
        """The request's body. Raises Refused."""
        return fields.document(request, options)

    def usage_wanted(self, asked: Document, stream: bool) -> tuple[bool, bool]:
        """Whether usage comes at the end, and in every chunk."""
        return fields.usage_wanted(asked, stream)

    def head(self, answer: Answer, object_: str) -> Document:
        return {"id": answer.id, "object": object_, "created": int(time.time()), "model": answer.model}

    def chunk(self, index: int, delta: Document, logprobs: Any, finish: FinishReason | None) -> Document:
        choice = {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
        if "role" in delta:
            return choice
        return choice | ({"stop_reason": None} if finish else {}) | {"token_ids": None}

    def role(self, job: Job) -> Document | None:
        return {"role": "assistant", "content": ""}

    def deltas(self, answer: Answer, choice: int, said: Said) -> list[Document]:
        text = Tokens([said.word])
        if said.part.kind == "call":
            return self.call(answer, choice, said, text)
        if said.part.kind == "reasoning":
            return [self.reasoning(text)]
        return [{"refusal" if said.part.kind == "refusal" else "content": text}]

    def reasoning(self, text: Any) -> Document:
        """Where reasoning stands: vLLM once called it `reasoning_content`, and clients still read that."""
        return {"reasoning": text, "reasoning_content": text}

    def call(self, answer: Answer, choice: int, said: Said, text: Any) -> list[Document]:
        """A call's deltas: its name before its first token."""
        index = _number_of_call(answer.job, said.number)
        goes_on = {"tool_calls": [{"index": index, "function": {"arguments": text}}]}
        if said.at:
            return [goes_on]
        function = {"name": said.part.name, "arguments": ""}
        id_ = tools.call_id(answer.id, choice, index, self.call_prefix)
        return [{"tool_calls": [{"id": id_, "type": "function", "index": index, "function": function}]}, goes_on]

    def logprobs(self, job: Job, words: list[bytes]) -> Any:
        if not job.asked.get("logprobs"):
            return None
        return logprobs.of_chat(words, fields.whole(job.asked, "top_logprobs", at_least=0) or 0)

    def whole(self, answer: Answer) -> Body:
        meter = Meter(answer.job)
        choices = [self.choice(answer, index, self._message(answer, index)) for index in range(len(answer.job.choices))]
        usage = {"usage": orjson.Fragment(self.usage(meter.counts()))} if meter.in_whole else {}
        return bodies.json(self.head(answer, self.whole_object) | {"choices": choices} | self.closing(usage, answer))

    def closing(self, usage: Document, answer: Answer) -> Document:
        """The members after the choices."""
        del answer
        before = {"service_tier": None, "system_fingerprint": None}
        return before | usage | {"prompt_logprobs": None, "prompt_token_ids": None, "kv_transfer_params": None}

    def choice(self, answer: Answer, index: int, said: Document) -> Document:
        """One choice of a whole answer."""
        rest = {name: said.pop(name, None) for name in ("refusal", "annotations", "audio", "function_call")}
        thought = {name: said.pop(name, None) for name in ("reasoning", "reasoning_content")}
        return {
            "index": index,
            "message": {"role": "assistant", **said, **rest, **thought},
            "logprobs": self.whole_logprobs(answer, index),
            "finish_reason": answer.job.finish_reason,
            "stop_reason": answer.job.stopped_by,
            "token_ids": None,
        }

    def whole_logprobs(self, answer: Answer, index: int) -> Any:
        """The logprobs of all of a choice's text."""
        job = answer.job
        return self.logprobs(job, [w for part in job.parts if part.kind == "text" for w in job.part_words(index, part)])

    def _message(self, answer: Answer, choice: int) -> Document:
        job, said = answer.job, Document(content=None)
        for index, part in enumerate(job.parts):
            text = Tokens(job.part_words(choice, part))
            if part.kind == "call":
                number = _number_of_call(job, index)
                call = {
                    "id": tools.call_id(answer.id, choice, number, self.call_prefix),
                    "type": "function",
                    "function": {"name": part.name, "arguments": text},
                }
                said.setdefault("tool_calls", []).append(call)
            elif part.kind == "reasoning":
                said |= self.reasoning(text)
            else:
                said["refusal" if part.kind == "refusal" else "content"] = text
        if not job.parts:
            said["content"] = ""
        return said


def schema(asked: Document) -> Any:
    """What `response_format` makes the text satisfy; None for text. Raises Refused."""
    wanted = asked.get("response_format")
    if wanted is None:
        return None
    if not isinstance(wanted, dict):
        raise Refused(400, "response_format: Input should be an object", param="response_format")
    if wanted.get("type") == "json_object":
        return {"type": "object", "properties": {"answer": {"type": "string"}}}
    if wanted.get("type") != "json_schema":
        return None
    named = wanted.get("json_schema")
    if not isinstance(named, dict) or not isinstance(named.get("schema"), dict):
        raise Refused(400, "response_format: json_schema needs a schema", param="response_format")
    return named["schema"]


def choice_of_texts(asked: Document) -> str | None:
    """The text, where `structured_outputs` leaves the choice of a few: the first of them."""
    wanted = asked.get("structured_outputs")
    choices = wanted.get("choice") if isinstance(wanted, dict) else None
    return str(choices[0]) if isinstance(choices, list) and choices else None


def usage_with_details(counts: Counts) -> bytes:
    """Usage as OpenAI words it, with how much of it was cached and how much was reasoning."""
    return orjson.dumps(
        {
            "prompt_tokens": counts.prompt,
            "completion_tokens": counts.completion,
            "total_tokens": counts.prompt + counts.completion,
            "prompt_tokens_details": {"cached_tokens": counts.cached, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": counts.reasoning,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        }
    )


def _number_of_call(job: Job, index: int) -> int:
    return sum(part.kind == "call" for part in job.parts[:index])
