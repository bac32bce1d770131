"""What only vLLM says in chats and completions, as it was recorded from version 0.32 (tests/conformance/golden)."""

from typing import Any

from inference.simulator import tools, wire
from inference.simulator.chat import Chat
from inference.simulator.chunks import Document
from inference.simulator.completions import Completions
from inference.simulator.dialects import Answer
from inference.simulator.jobs import Job
from inference.simulator.metering import Counts
from inference.simulator.scripts import Said

_NEVER = ("kv_transfer_params", "ec_transfer_params", "metrics")
"""What vLLM has a name for, and a value only with flags of its own."""


class VllmChat(Chat):
    """Many members that are nearly always null, and which tokens of the prompt are cached from now on."""

    call_prefix = "chatcmpl-tool-"
    details_so_far = b',"completion_tokens_details":null'

    def usage(self, counts: Counts) -> bytes:
        details = wire.whole_details(counts.cached, counts.created, counts.reasoning)
        return wire.usage(counts.prompt, counts.completion, details)

    def last_usage(self, counts: Counts) -> bytes:
        details = wire.chunk_details(counts.cached, counts.created, counts.reasoning)
        return wire.usage(counts.prompt, counts.completion, details)

    def prologue(self, answer: Answer) -> Document:
        return {"prompt_token_ids": None, "prompt_text": None}

    def epilogue(self, answer: Answer) -> Document:
        return {"system_fingerprint": wire.FINGERPRINT}

    def last(self, job: Job) -> Document:
        # The token that ends a text by itself has none; one that only happens to be the last has.
        return {"content": ""} if job.finish_reason == "length" else {}

    def call(self, answer: Answer, choice: int, said: Said, text: Any) -> list[Document]:
        *named, goes_on = super().call(answer, choice, said, text)
        for delta in named:
            del delta["tool_calls"][0]["function"]["arguments"]
        return [{"content": None, **delta} for delta in (*named, goes_on)]

    def closing(self, usage: Document, answer: Answer) -> Document:
        before = {"service_tier": None, "system_fingerprint": wire.FINGERPRINT}
        return before | usage | dict.fromkeys(("prompt_logprobs", "prompt_token_ids", "prompt_text", *_NEVER))

    def choice(self, answer: Answer, index: int, said: Document) -> Document:
        if said.get("content") is None and tools.is_forced(answer.job.asked):
            said["content"] = ""  # beside a call that it was told to make it finds an empty text
        document = super().choice(answer, index, said)
        if document["message"]["reasoning_content"] is None:
            del document["message"]["reasoning_content"]
        return document | {"routed_experts": None}


class VllmCompletions(Completions):
    """The same; what is cached from now on it leaves open."""

    def usage(self, counts: Counts) -> bytes:
        details = wire.whole_details(counts.cached, None, counts.reasoning)
        return wire.usage(counts.prompt, counts.completion, details)

    def last_usage(self, counts: Counts) -> bytes:
        return wire.usage(counts.prompt, counts.completion, wire.chunk_details(counts.cached, None))

    def epilogue(self, answer: Answer) -> Document:
        return {"system_fingerprint": wire.FINGERPRINT}

    def closing(self, usage: Document) -> Document:
        return {"service_tier": None, "system_fingerprint": wire.FINGERPRINT, **usage, **dict.fromkeys(_NEVER)}

    def choice(self, answer: Answer, index: int) -> Document:
        return super().choice(answer, index) | {"routed_experts": None}
