"""`POST /v1/responses` as vLLM serves it: OpenAI's API of items, natively."""

import time
from collections.abc import Iterator
from typing import Any

import orjson

from inference.simulator import bodies, fields, jobs, prompts, scripts, tools
from inference.simulator.bodies import Body, Tokens
from inference.simulator.dialects import Answer, Events, Streamed
from inference.simulator.jobs import Job, Wish
from inference.simulator.metering import Counts, Meter
from inference.simulator.options import Options
from inference.simulator.prompts import Prompt
from inference.simulator.protocol import Request
from inference.simulator.refusals import Refused
from inference.simulator.scripts import Part, Said

Document = dict[str, Any]
_ECHOED: Document = {
    "background": False,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": None,
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt": None,
    "reasoning": None,
    "service_tier": "auto",
    "text": None,
    "tool_choice": "auto",
    "top_logprobs": None,
    "truncation": "disabled",
    "user": None,
}
"""What a response repeats of its request, with what it says where the request does not."""


_NUMBERS = {"temperature": 1.0, "top_p": 1.0, "presence_penalty": 0.0, "frequency_penalty": 0.0}
"""What it repeats as floating-point numbers."""
_NEVER_IN_TOOLS = {
    "function": ("description", "allowed_callers", "async", "defer_loading", "output_schema"),
    "web_search": ("external_web_access", "filters", "search_context_size", "user_location"),
}
"""Members that vLLM adds to the tools it repeats, by their type."""
_NEVER_IN_FORMATS = ("description", "strict")
"""Members that it adds to the schema that it repeats."""


class Responses(Streamed):
    """One answer in items: reasoning, messages, and calls of functions."""

    endpoint = "/v1/responses"
    id_prefix = "resp_"
    tells_of_cuts = False
    """Whether a stream that was cut ends with an event of its own; vLLM's says `completed` all the same."""

    def read(self, request: Request, options: Options) -> Job:
        asked = fields.document(request, options)
        if asked.get("previous_response_id") is not None:
            message = f"Response with id '{asked['previous_response_id']}' not found."
            raise Refused(404, message, kind="invalid_request_error", param="response_id")
        offered = tools.offered(asked)
        wish = Wish(
            prompts=(_prompt(asked),),
            stream=fields.boolean(asked, "stream"),
            limit=fields.whole(asked, "max_output_tokens"),
            cache_salt=str(asked.get("cache_salt") or ""),
            tools=tools.usable(asked, offered),
            called=tools.forced(asked, offered),
            schema=_schema(asked),
        )
        return jobs.generating(wish, asked, request.headers, options)

    def whole(self, answer: Answer) -> Body:
        return bodies.json(self.finished(answer, _items(answer)))

    def events(self, answer: Answer) -> Events:
        return _Stream(answer, self)

    def response(self, answer: Answer, status: str, output: list[Document], usage: Document | None) -> Document:
        """A response in the state of `status`."""
        cut, asked = {"reason": "max_output_tokens"} if status == "incomplete" else None, answer.job.asked
        return {
            "id": answer.id,
            "object": "response",
            "created_at": int(time.time()),
            "status": status,
            "incomplete_details": cut,
            "model": answer.model,
            "output": output,
            **{name: asked.get(name, usual) for name, usual in _ECHOED.items()},
            **({} if asked.get("tools") else {"tool_choice": "none"}),
            "tools": [
                dict.fromkeys(_NEVER_IN_TOOLS.get(tool.get("type"), ())) | tool for tool in asked.get("tools") or ()
            ],
            "text": _text(asked),
            **{name: _number(asked, name, usual) for name, usual in _NUMBERS.items()},
            "usage": usage,
            **dict.fromkeys(("kv_transfer_params", "ec_transfer_params", "input_messages", "output_messages")),
        }

    def finished(self, answer: Answer, output: list[Document]) -> Document:
        """The response at its end."""
        meter = Meter(answer.job)
        usage = _usage(meter.counts()) if meter.in_whole else None
        return self.response(answer, _status(answer.job), output, usage)


class _Stream(Events):
    """The events of one response, numbered; the last of them, with the whole response in it, is its end marker."""

    def __init__(self, answer: Answer, dialect: Responses) -> None:
        super().__init__(answer, dialect.error)
        self._answer, self._dialect = answer, dialect
        self._sequence = 0
        self._open: int | None = None
        self._failed = False

    def opening(self) -> list[bytes]:
        response = {"response": self._dialect.response(self._answer, "in_progress", [], None)}
        return [self._event("response.created", response), self._event("response.in_progress", response)]

    def content(self, start: int, stop: int) -> list[bytes]:
        return [
            event
            for said in scripts.said(self.job.parts, self.job.choices[0].seed, start, stop)
            for event in self._token(said)
        ]

    def finishes(self) -> list[bytes]:
        return list(self._close())

    def error(self, message: str) -> list[bytes]:
        self._failed = True
        return [self._event("error", {"code": "server_error", "message": message, "param": None})]

    def dones(self) -> list[bytes]:
        if self._failed:
            return []
        response = {"response": self._dialect.finished(self._answer, _items(self._answer))}
        status = _status(self.job) if self._dialect.tells_of_cuts else "completed"
        self.ending = (self._event(f"response.{status}", response),)
        return super().dones()

    def _token(self, said: Said) -> Iterator[bytes]:
        if said.number != self._open:
            yield from self._close()
            self._open = said.number
            yield from self._begin(said.number, said.part)
        place = _place(self._answer, said.number, said.part)
        yield self._event(f"response.{_NAMES[said.part.kind]}.delta", place | {"delta": Tokens([said.word])})

    def _begin(self, index: int, part: Part) -> Iterator[bytes]:
        item = _item(self._answer, index, part, "in_progress", [])
        yield self._event("response.output_item.added", {"output_index": index, "item": item})
        if part.kind != "call":
            place = _place(self._answer, index, part)
            started = _content(part, []) | ({"logprobs": []} if part.kind == "text" else {})
            yield self._event("response.content_part.added", _placed(place) | {"part": started})

    def _close(self) -> Iterator[bytes]:
        if self._open is None:
            return
        index, self._open = self._open, None
        part = self.job.parts[index]
        words, place = self.job.part_words(0, part), _place(self._answer, index, part)
        if part.kind == "call":
            done = {"arguments": Tokens(words), "name": part.name}
        else:
            done = {"refusal" if part.kind == "refusal" else "text": Tokens(words)}
        yield self._event(f"response.{_NAMES[part.kind]}.done", place | done)
        if part.kind != "call":
            yield self._event("response.content_part.done", _placed(place) | {"part": _content(part, words)})
        item = _item(self._answer, index, part, _item_status(part), words)
        yield self._event("response.output_item.done", {"output_index": index, "item": item})

    def _event(self, name: str, members: Document) -> bytes:
        document = {"type": name, "sequence_number": self._sequence} | members
        self._sequence += 1
        return b"event: %s\ndata: %s\n\n" % (name.encode(), bodies.json(document).data())


_NAMES = {
    "text": "output_text",
    "refusal": "refusal",
    "reasoning": "reasoning_text",
    "call": "function_call_arguments",
}


def _number(asked: Document, name: str, usual: float) -> float:
    given = asked.get(name)
    return float(given) if isinstance(given, int | float) else usual


def _items(answer: Answer) -> list[Document]:
    job = answer.job
    parts = enumerate(job.parts)
    return [_item(answer, index, part, _item_status(part), job.part_words(0, part)) for index, part in parts]


def _item(answer: Answer, index: int, part: Part, status: str, words: list[bytes]) -> Document:
    head: Document = {"id": _item_id(answer, index, part), "status": status}
    if part.kind == "call":
        call_id = tools.call_id(answer.id.replace("_", "-"), 0, index, "chatcmpl-tool-")
        head |= {"type": "function_call", "call_id": call_id, "name": part.name, "arguments": Tokens(words)}
        return head | dict.fromkeys(("async", "caller", "namespace"))
    content = [] if status == "in_progress" else [_content(part, words)]
    if part.kind == "reasoning":
        return {"type": "reasoning", **head, "summary": [], "content": content, "encrypted_content": None}
    return {"type": "message", **head, "role": "assistant", "content": content, "phase": None}


def _content(part: Part, words: list[bytes]) -> Document:
    if part.kind == "reasoning":
        return {"type": "reasoning_text", "text": Tokens(words)}
    if part.kind == "refusal":
        return {"type": "refusal", "refusal": Tokens(words)}
    return {"type": "output_text", "text": Tokens(words), "annotations": [], "logprobs": None}


def _place(answer: Answer, index: int, part: Part) -> Document:
    place = {"item_id": _item_id(answer, index, part), "output_index": index}
    if part.kind == "call":
        return place
    return place | {"content_index": 0} | ({"logprobs": []} if part.kind == "text" else {})


def _placed(place: Document) -> Document:
    """A place in an event about a part, which has no logprobs of its own."""
    return {name: value for name, value in place.items() if name != "logprobs"}


def _item_id(answer: Answer, index: int, part: Part) -> str:
    prefix = {"call": "fc_", "reasoning": "rs_"}.get(part.kind, "msg_")
    return f"{prefix}{answer.id.removeprefix('resp_')}{index}"


def _item_status(part: Part) -> str:
    return "completed" if part.whole or part.kind == "text" else "incomplete"


def _status(job: Job) -> str:
    return "incomplete" if job.finish_reason == "length" else "completed"


def _usage(counts: Counts) -> Document:
    return {
        "input_tokens": counts.prompt,
        "input_tokens_details": {
            "cached_tokens": counts.cached,
            "cache_write_tokens": counts.created,
            "input_tokens_per_turn": [],
            "cached_tokens_per_turn": [],
        },
        "output_tokens": counts.completion,
        "output_tokens_details": {
            "reasoning_tokens": counts.reasoning,
            "tool_output_tokens": 0,
            "output_tokens_per_turn": [],
            "tool_output_tokens_per_turn": [],
        },
        "total_tokens": counts.prompt + counts.completion,
    }


def _prompt(asked: Document) -> Prompt:
    """Instructions and input as one prompt. Raises Refused."""
    given = asked.get("input")
    if isinstance(given, str):
        given = [{"role": "user", "content": given}]
    if not isinstance(given, list) or not given or not all(isinstance(item, dict) for item in given):
        raise Refused(400, "input: Input should be a text or a list of items", param="input")
    head = [{"role": "developer", "content": asked["instructions"]}] if asked.get("instructions") else []
    return prompts.of_messages([*head, *map(_message, given)], asked.get("tools"))


def _message(item: Document) -> Document:
    """An item of the input as chat has it."""
    kind = item.get("type", "message")
    if kind == "message":
        return item
    if kind == "function_call_output":
        output = item.get("output")
        return {"role": "tool", "content": output if isinstance(output, str | list) else orjson.dumps(output).decode()}
    return {"role": "assistant", "content": orjson.dumps(item).decode()}


def _text(asked: Document) -> Any:
    """What was said of the text's form, with the members that nobody has set."""
    text = asked.get("text")
    wanted = text.get("format") if isinstance(text, dict) else None
    if text is None or not isinstance(wanted, dict) or wanted.get("type") != "json_schema":
        return text
    return {"verbosity": None} | text | {"format": dict.fromkeys(_NEVER_IN_FORMATS) | wanted}


def _schema(asked: Document) -> Any:
    text = asked.get("text")
    wanted = text.get("format") if isinstance(text, dict) else None
    if not isinstance(wanted, dict):
        return None
    if wanted.get("type") == "json_object":
        return {"type": "object", "properties": {"answer": {"type": "string"}}}
    return wanted.get("schema") if wanted.get("type") == "json_schema" else None
