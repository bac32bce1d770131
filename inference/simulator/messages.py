"""`POST /v1/messages` and its count of tokens as vLLM serves them: Anthropic's API, natively."""

import sys
from collections.abc import Iterator
from typing import Any

import orjson

from inference.simulator import bodies, fields, jobs, prompts, scripts, tools
from inference.simulator.bodies import Body, Tokens
from inference.simulator.dialects import Answer, Dialect, Error, Events, Streamed
from inference.simulator.jobs import Job, Wish
from inference.simulator.metering import Counts, Meter
from inference.simulator.options import Options
from inference.simulator.prompts import Prompt
from inference.simulator.protocol import Request
from inference.simulator.scripts import Part

Document = dict[str, Any]
STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
SIGNATURE = "c2ltdWxhdGVk"
_REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}
_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}


def error(status: int, message: str, kind: str | None = None, param: str | None = None) -> bytes:
    """Anthropic's error body, in which vLLM puts its own kinds of error."""
    del param
    return orjson.dumps({"type": "error", "error": {"type": kind or error_kind(status), "message": message}})


def error_kind(status: int) -> str:
    """The type of error that goes with a status."""
    return _KINDS.get(status, "api_error" if status >= 500 else "invalid_request_error")


class Messages(Streamed):
    """One answer in blocks: thinking, text, and uses of tools."""

    endpoint = "/v1/messages"
    id_prefix = "chatcmpl-"
    ending: tuple[bytes, ...] = (STOP,)
    pings = False
    """Whether a stream has a `ping` after its start."""
    use_prefix = "chatcmpl-tool-"
    """Before the ids of uses of tools."""

    def __init__(self, error: Error = error) -> None:
        super().__init__(error)

    def read(self, request: Request, options: Options) -> Job:
        asked = fields.document(request, options)
        limit = fields.whole(asked, "max_tokens", at_least=-sys.maxsize)
        if limit is None:
            raise fields.invalid("max_tokens", "Field required")
        if limit < 1:
            raise fields.invalid("max_tokens", "Value error, max_tokens must be positive", "value_error")
        offered = tools.offered(asked)
        wish = Wish(
            prompts=(prompt(asked),),
            stream=fields.boolean(asked, "stream"),
            limit=limit,
            tools=tools.usable(asked, offered),
            called=tools.forced(asked, offered),
            schema=_schema(asked),
            stops=fields.stops(asked, "stop_sequences"),
        )
        return jobs.generating(wish, asked, request.headers, options)

    def whole(self, answer: Answer) -> Body:
        meter = Meter(answer.job)
        content = [self.block(answer, index, part) for index, part in enumerate(answer.job.parts)]
        usage = {"usage": self.usage(meter.counts())} if meter.in_whole else {}
        return bodies.json(self.message(answer, content, self.stop_reason(answer.job)) | usage)

    def events(self, answer: Answer) -> Events:
        return _Stream(answer, self)

    def message(self, answer: Answer, content: list[Document], stop_reason: str | None) -> Document:
        """A message without its usage."""
        stopped = {} if stop_reason != "stop_sequence" else {"stop_sequence": answer.job.stopped_by}
        return {
            "id": answer.id,
            "type": "message",
            "role": "assistant",
            "content": content,
            "model": answer.model,
            "stop_reason": stop_reason,
            **stopped,
        }

    def usage(self, counts: Counts) -> Document:
        """What was read and written; tokens that were or are now cached are not among the input tokens."""
        return {
            "input_tokens": counts.prompt - counts.cached - counts.created,
            "output_tokens": counts.completion,
            "cache_creation_input_tokens": counts.created,
            "cache_read_input_tokens": counts.cached,
        }

    def usage_so_far(self, counts: Counts) -> Document:
        """What the first event says: all of the prompt, however much of it is cached."""
        return {"input_tokens": counts.prompt, "output_tokens": counts.completion}

    def _use_id(self, answer: Answer, index: int) -> str:
        return tools.call_id(answer.id, 0, index, self.use_prefix)

    def stop_reason(self, job: Job) -> str:
        """Why it ended."""
        if any(part.kind == "refusal" for part in job.parts):
            return "refusal"
        if job.stopped_by is not None:
            return "stop_sequence"
        return _REASONS[job.finish_reason]

    def block(self, answer: Answer, index: int, part: Part) -> Document:
        """One block of a whole message."""
        words = answer.job.part_words(0, part)
        if part.kind == "reasoning":
            return {"type": "thinking", "thinking": Tokens(words), "signature": SIGNATURE}
        if part.kind != "call":
            return {"type": "text", "text": Tokens(words)}
        # A call that the limit cut has no arguments that could be read.
        called: object = Tokens(part.raw(), quoted=False) if part.whole and part.tokens else {}
        return {"type": "tool_use", "id": self._use_id(answer, index), "name": part.name, "input": called}

    def opened(self, answer: Answer, index: int, part: Part) -> Document:
        """A block as its start event has it."""
        if part.kind == "reasoning":
            return {"type": "thinking", "thinking": "", "signature": ""}
        if part.kind != "call":
            return {"type": "text", "text": ""}
        return {"type": "tool_use", "id": self._use_id(answer, index), "name": part.name, "input": {}}


class _Stream(Events):
    """Anthropic's events: a message, in it blocks, in them deltas."""

    def __init__(self, answer: Answer, dialect: Messages) -> None:
        super().__init__(answer, dialect.error)
        self.ending = dialect.ending
        self._answer, self._dialect = answer, dialect
        self._open: int | None = None
        self._templates: dict[int, tuple[bytes, bytes]] = {}

    def opening(self) -> list[bytes]:
        counts, started = self.meter.begun(), {"stop_sequence": None}
        usage = {"usage": self._dialect.usage_so_far(counts)} if self.meter.in_whole else {}
        message = self._dialect.message(self._answer, [], None) | started | usage
        return [event("message_start", {"message": message}), *[event("ping", {})] * self._dialect.pings]

    def content(self, start: int, stop: int) -> list[bytes]:
        return list(self._content(start, stop))

    def finishes(self) -> list[bytes]:
        delta = {"stop_reason": self._dialect.stop_reason(self.job), "stop_sequence": self.job.stopped_by}
        usage = {"usage": self._dialect.usage(self.meter.counts())} if self.meter.in_whole else {}
        return [*self._close(), event("message_delta", {"delta": delta} | usage)]

    def error(self, message: str) -> list[bytes]:
        return [b"event: error\ndata: %s\n\n" % self._dialect.error(500, message, None, None)]

    def _content(self, start: int, stop: int) -> Iterator[bytes]:
        for index, part, _, word in scripts.said(self.job.parts, self.job.choices[0].seed, start, stop):
            if not word:
                continue  # It has been made, but is not said: the message ends before it.
            if index != self._open:
                yield from self._close()
                self._open = index
                block = self._dialect.opened(self._answer, index, part)
                yield event("content_block_start", {"index": index, "content_block": block})
                self._templates[index] = bodies.around(_delta(index, part))
            before, after = self._templates[index]
            yield b"event: content_block_delta\ndata: %s%s%s\n\n" % (before, word, after)

    def _close(self) -> Iterator[bytes]:
        if self._open is None:
            return
        if self.job.parts[self._open].kind == "reasoning":
            signed = {"type": "signature_delta", "signature": SIGNATURE}
            yield event("content_block_delta", {"index": self._open, "delta": signed})
        yield event("content_block_stop", {"index": self._open})
        self._open = None


class CountTokens(Dialect):
    """`POST /v1/messages/count_tokens`."""

    endpoint = "/v1/messages/count_tokens"

    def __init__(self, error: Error = error) -> None:
        super().__init__(error)

    def read(self, request: Request, options: Options) -> Job:
        asked = fields.document(request, options)
        found = prompt(asked)
        return jobs.making((found,), 1, asked, options, found.instruction)

    def whole(self, answer: Answer) -> Body:
        count = answer.job.prompt_tokens
        counted = b'"input_tokens":%d,"context_management":{"original_input_tokens":%d}' % (count, count)
        return Body([b"{", [counted], b"}"])


def event(name: str, members: Document) -> bytes:
    """One of Anthropic's events: its type is its name."""
    return b"event: %s\ndata: %s\n\n" % (name.encode(), orjson.dumps({"type": name} | members))


def prompt(asked: Document) -> Prompt:
    """System and messages as one prompt. Raises Refused."""
    messages = prompts.require(asked.get("messages"))
    flat: list[Any] = [{"role": "system", "content": asked["system"]}] if asked.get("system") else []
    for message in messages:
        flat += _flattened(message)
    return prompts.of_messages(flat, asked.get("tools"))


def _flattened(message: Any) -> list[Any]:
    """A message as chat has it: results of tools are messages of their own."""
    content = message.get("content") if isinstance(message, dict) else None
    if not isinstance(content, list) or not all(isinstance(block, dict) for block in content):
        return [message]
    results = [{"role": "tool", "content": _result(block)} for block in content if block.get("type") == "tool_result"]
    rest = [_readable(block) for block in content if block.get("type") != "tool_result"]
    return [*results, *([{**message, "content": rest}] if rest or not results else [])]


def _readable(block: Document) -> Document:
    if block.get("type") == "tool_use":
        return {"type": "text", "text": orjson.dumps(block.get("input")).decode()}
    if block.get("type") == "thinking":
        return {"type": "text", "text": str(block.get("thinking", ""))}
    return block


def _result(block: Document) -> Any:
    content = block.get("content")
    return content if content is None or isinstance(content, str | list) else orjson.dumps(content).decode()


def _schema(asked: Document) -> Any:
    config = asked.get("output_config")
    wanted = config.get("format") if isinstance(config, dict) else asked.get("output_format")
    return wanted.get("schema") if isinstance(wanted, dict) and wanted.get("type") == "json_schema" else None


def _delta(index: int, part: Part) -> Document:
    kind, member = {"reasoning": ("thinking_delta", "thinking"), "call": ("input_json_delta", "partial_json")}.get(
        part.kind, ("text_delta", "text")
    )
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, member: bodies.SLOT}}
