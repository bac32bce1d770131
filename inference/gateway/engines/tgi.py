"""Hugging Face's text-generation-inference: its chat route, and `/generate_stream` for all that is text.

Messages go to its chat route, which has the model's own template; where the deployment has a chat template they are
written as text here and continued by the native API (huggingface/text-generation-inference, version 3: the fields in
`router/src/lib.rs`, their bounds in `router/src/validation.rs`). That is always asked for a stream: only the last event
of one tells how long the prompt was. So there is no `best_of`, which it refuses in streams. Its chat takes a presence
penalty for a repetition penalty, moved by 2, so that is refused, too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import orjson

from inference.gateway.catalogue import Route
from inference.gateway.engines.bridge import CHAT, chunks
from inference.gateway.engines.listings import counted
from inference.gateway.engines.mending import Mending, said
from inference.gateway.engines.openai_wires import Generation, fields
from inference.gateway.engines.parameters import COMMON, Parameters, cannot
from inference.gateway.engines.text_wires import TextWire, check_prompt
from inference.gateway.engines.wire import EVENT_STREAM, MISSHAPEN, Call, Engine, Stream, Whole, Wire
from inference.gateway.errors import UpstreamError
from inference.gateway.translation.text_answers import usage

if TYPE_CHECKING:
    from inference.gateway.orders import Order

_TOOLS = frozenset({"tools", "tool_choice"})
_SHARED = COMMON - {"presence_penalty"} | {"response_format"}
_CHAT = Parameters.of(_SHARED | _TOOLS | {"logprobs", "top_logprobs"})
_NATIVE = Parameters.of(_SHARED | {"top_k", "repetition_penalty"})
# What the native API takes under the same name. The others need a closer look.
_SAME = ("frequency_penalty", "repetition_penalty")
_TOKENIZE = Parameters.of_text()
_REASONS = {"length": "length"}
_MOST_SEED = 2**64


class Generate:
    """The native API."""

    def call(self, order: Order, upstream_name: str, prompt: str, stops: list[str]) -> Call:
        """Ask for a stream with details."""
        asked = _NATIVE.put(order.wanted.fields)
        parameters = {name: asked[name] for name in _SAME if name in asked} | _sampling(asked)
        if stops:
            parameters["stop"] = stops
        if grammar := _grammar(asked.get("response_format")):
            parameters["grammar"] = {"type": "json", "value": grammar}
        parameters |= {"max_new_tokens": order.bound.max_tokens, "details": True, "return_full_text": False}
        body = {"inputs": prompt, "parameters": parameters}
        return Call("/generate_stream", orjson.dumps(body), (EVENT_STREAM,))

    def reader(self, order: Order) -> GenerateReader:
        """Begin to read a stream."""
        return GenerateReader()

    def events(self, body: bytes) -> Iterable[dict[str, Any]]:
        """Return the events of a stream that came whole."""
        return chunks(body)


class GenerateReader:
    """One event is one token; the last one has the details."""

    def __init__(self) -> None:
        self.outputs = 0
        self.over = False
        self.finish_reason = "stop"
        self._usage: dict[str, Any] | None = None

    def take(self, event: dict[str, Any]) -> str:
        """Return the token's text; special tokens are not the answer's."""
        token = event["token"]
        text: str = "" if token["special"] else token["text"]
        if not token["special"]:
            self.outputs += 1
        if event.get("generated_text") is not None:
            self.over = True
            self._note(event.get("details") or {})
        return text

    def end(self) -> bool:
        """Without its last event an answer is cut off."""
        return self.over

    def usage(self) -> dict[str, Any] | None:
        """Return the usage that came with the last event."""
        return self._usage

    def _note(self, details: dict[str, Any]) -> None:
        self.finish_reason = _REASONS.get(details.get("finish_reason", ""), "stop")
        read, made = details.get("input_length"), details.get("generated_tokens")
        if type(read) is int and type(made) is int:
            self._usage = usage(read, made)


def _chat_body(order: Order, upstream_name: str) -> dict[str, Any]:
    body = _CHAT.put(fields(order, upstream_name))
    if grammar := _grammar(body.pop("response_format", None)):
        body["response_format"] = {"type": "json_object", "value": grammar}
    if isinstance(body.get("stop"), str):
        body["stop"] = [body["stop"]]
    if "seed" in body:
        body["seed"] %= _MOST_SEED
    if body.get("top_p") == 0:
        body["temperature"] = 0
    if body.get("top_p") in (0, 1):
        del body["top_p"]
    return body


def _grammar(wanted: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the schema that an answer must satisfy. Raises `InvalidRequest` for a form it does not know.

    It takes no schema without `properties`, and so it has none for JSON of any form.
    """
    match wanted:
        case None | {"type": "text"}:
            return None
        case {"type": "json_schema", "json_schema": {"schema": dict(schema)}} if "properties" in schema:
            return schema
    raise cannot("response_format")


def _mend(answer: dict[str, Any]) -> None:
    """Say why an answer ended as OpenAI does."""
    for choice, _ in said(answer):
        if choice.get("finish_reason") in ("eos_token", "stop_sequence"):
            choice["finish_reason"] = "stop"


def _sampling(asked: dict[str, Any]) -> dict[str, Any]:
    """Put what has other bounds there: 0 is no temperature, and 1 is no top_p."""
    greedy = asked.get("temperature") == 0 or asked.get("top_p") == 0
    sampling: dict[str, Any] = {"do_sample": not greedy}
    if not greedy:
        sampling |= {name: asked[name] for name in ("temperature", "top_p") if asked.get(name, 1) != 1}
    if asked.get("top_k", 0) > 0:
        sampling["top_k"] = asked["top_k"]
    if "seed" in asked:
        sampling["seed"] = asked["seed"] % _MOST_SEED
    return sampling


class Chat:
    """Messages: to the chat route, or written as text where the deployment says how."""

    def __init__(self) -> None:
        mending = Mending((b'"eos_token"', b'"stop_sequence"'), _mend)
        self._route: Wire = Generation("/v1/chat/completions", _chat_body, mending=mending)
        self._text: Wire = TextWire(Generate())

    def call(self, order: Order, upstream_name: str) -> Call | None:
        """Ask by the way that the deployment takes."""
        return self._way(order).call(order, upstream_name)

    def stream(self, order: Order) -> Stream:
        """Read what comes that way."""
        return self._way(order).stream(order)

    def whole(self, order: Order, body: bytes, content_type: str) -> Whole:
        """Read what came that way."""
        return self._way(order).whole(order, body, content_type)

    def _way(self, order: Order) -> Wire:
        return self._text if order.template else self._route


class Tokenize:
    """The tokens of a text, each with its id; special ones are always among them."""

    def call(self, order: Order, upstream_name: str) -> Call:
        """Ask for the tokens."""
        return Call("/tokenize", orjson.dumps({"inputs": _TOKENIZE.put(order.wanted.fields)["prompt"]}))

    def stream(self, order: Order) -> Stream:
        """There is no such stream."""
        raise UpstreamError

    def whole(self, order: Order, body: bytes, content_type: str) -> Whole:
        """Count them."""
        try:
            tokens = [token["id"] for token in orjson.loads(body)]
        except MISSHAPEN as cause:
            raise UpstreamError from cause
        if not all(type(token) is int for token in tokens):
            raise UpstreamError from ValueError("the engine's tokens have no ids")
        return counted(tokens)


class Tgi(Engine):
    """Text Generation Inference. It names the tokens of a prompt at the end only."""

    kind = "tgi"
    wires = {CHAT: Chat(), "completions": TextWire(Generate()), "tokenize": Tokenize()}
    parameters = {CHAT: _CHAT, "completions": _NATIVE, "tokenize": _TOKENIZE}

    def check(self, surface: str, asked: dict[str, Any], route: Route) -> None:
        """Refuse tools where messages are written as text, a form of answer it does not know, and several prompts."""
        if surface == CHAT and route.template:
            _NATIVE.check(asked)
        else:
            super().check(surface, asked, route)
        _grammar(asked.get("response_format"))
        if surface == "completions":
            check_prompt(asked)
