"""An endpoint before an engine that does not serve it: translated to chat, answered by the engine's chat, and back.

It stands on the engine's own chat wire, whatever that is, and so on every engine that can chat. A new dialect is a
`Translation` and a line in `TRANSLATIONS`; the engines need not know of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from inference.gateway.charging import counted
from inference.gateway.engines.anthropic_wires import EstimatedCount
from inference.gateway.engines.wire import MISSHAPEN, Call, Passage, Stream, Whole, Wire
from inference.gateway.errors import UpstreamError
from inference.gateway.streams import split_at_done
from inference.gateway.translation.messages import Messages
from inference.gateway.translation.responses import Responses

if TYPE_CHECKING:
    from inference.gateway.orders import Order

CHAT = "chat.completions"


class Teller(Protocol):
    """Tells one chat stream in another dialect's events. It sees every chunk, in order."""

    def chunk(self, chunk: dict[str, Any]) -> bytes:
        """Take one chunk, with usage as far as the engine tells it; return the events that it comes to."""

    def end(self, counted: dict[str, Any]) -> tuple[bytes, bytes]:
        """The engine is done: return what may go at once, and apart from it what says that the answer is complete.

        `counted` is what is charged where the engine told no usage, in OpenAI's words.
        """


class Translation(Protocol):
    """One dialect and chat, both ways. Stateless."""

    def fields(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Write a request's fields as a chat completion's. Raises `InvalidRequest` for what chat has no words for."""

    def teller(self, order: Order) -> Teller:
        """Begin a stream."""

    def whole(self, order: Order, answer: dict[str, Any], counted: dict[str, Any]) -> bytes:
        """Write a chat completion, under the public name already, as the dialect's whole answer."""


class Bridged:
    """A wire made of a translation and an engine's chat wire."""

    def __init__(self, translation: Translation, chat: Wire) -> None:
        self._translation = translation
        self._chat = chat

    def fields(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Write a request's fields as a chat completion's. Raises `InvalidRequest`."""
        return self._translation.fields(fields)

    def call(self, order: Order, upstream_name: str) -> Call | None:
        """Ask as chat does."""
        return self._chat.call(self._as_chat(order), upstream_name)

    def stream(self, order: Order) -> Stream:
        """Read the engine's chat, tell it in the dialect's events."""
        chat = self._chat.stream(self._as_chat(order))
        return BridgedStream(chat, self._translation.teller(order), order.bound.likely_input)

    def whole(self, order: Order, body: bytes, content_type: str) -> Whole:
        """Read the engine's chat completion, write the dialect's answer."""
        answer = self._chat.whole(self._as_chat(order), body, content_type)
        try:
            written = self._translation.whole(
                order, orjson.loads(answer.body), _counted(answer.outputs, order.bound.likely_input)
            )
        except MISSHAPEN as cause:
            raise UpstreamError from cause
        return answer._replace(body=written, content_type=b"application/json")

    def _as_chat(self, order: Order) -> Order:
        """Return the order as chat has it. The dialect wants to know the usage, whatever the client asked for."""
        fields = self._translation.fields(order.wanted.fields)
        if order.wanted.stream:
            fields["stream"] = True
        wanted = replace(order.wanted, fields=fields, include_usage=True, continuous_usage=True)
        return replace(order, wanted=wanted)


class BridgedStream:
    """A chat stream on its way to a client of another dialect. What was used is what the chat stream says."""

    def __init__(self, chat: Stream, teller: Teller, likely_prompt: int) -> None:
        self._chat = chat
        self._teller = teller
        self._likely_prompt = likely_prompt

    @property
    def outputs(self) -> int:
        """Pieces of output so far."""
        return self._chat.outputs

    @property
    def final(self) -> bool:
        """Whether the usage is the last one."""
        return self._chat.final

    def feed(self, chunk: bytes) -> Passage:
        """Tell what came. The end is told only if the chat stream says that it is one."""
        passage = self._chat.feed(chunk)
        body = b"".join(self._told(passage.body)) if passage.body else b""
        if not passage.marker or passage.broken:
            return Passage(body, b"", passage.broken)
        last, marker = self._end()
        return Passage(body + last, marker)

    def finish(self) -> bytes:
        """Tell the end that the engine forgot to tell, after what its chat stream still owes."""
        owed = self._chat.finish()
        if not owed:
            return b""
        told = b"".join(self._told(split_at_done(owed)[0]))
        return told + b"".join(self._end())

    def usage(self) -> Any:
        """Return the latest usage."""
        return self._chat.usage()

    def _end(self) -> tuple[bytes, bytes]:
        """Tell the end. What was told of the usage is read only now, so it may be now that it turns out to be none."""
        try:
            return self._teller.end(_counted(self._chat.outputs, self._likely_prompt))
        except MISSHAPEN as cause:
            raise UpstreamError from cause

    def _told(self, block: bytes) -> Iterator[bytes]:
        for chunk in chunks(block):
            try:
                yield self._teller.chunk(chunk)
            except MISSHAPEN as cause:
                raise UpstreamError from cause


def _counted(outputs: int, likely_prompt: int) -> dict[str, Any]:
    tokens = counted(outputs, likely_prompt)
    return {"prompt_tokens": tokens.prompt, "completion_tokens": tokens.completion}


def chunks(block: bytes) -> Iterator[dict[str, Any]]:
    """Read the chunks in a block of whole events. Raises `UpstreamError` for one that is none."""
    for line in block.splitlines():
        if not line.startswith(b"data:"):
            continue
        try:
            chunk = orjson.loads(line[5:])
        except orjson.JSONDecodeError as cause:
            raise UpstreamError from cause
        if not isinstance(chunk, dict):
            raise UpstreamError from ValueError("a chunk is no object")
        yield chunk


TRANSLATIONS: Mapping[str, Translation] = MappingProxyType({"messages": Messages(), "responses": Responses()})
"""The dialects that any chat can be told in, by the endpoint's name."""


def bridged(wires: Mapping[str, Wire]) -> Mapping[str, Wire]:
    """Return an engine's wires, and one for each endpoint that it does not serve itself but can through its chat."""
    chat = wires.get(CHAT)
    if chat is None:
        return wires
    made: dict[str, Wire] = {name: Bridged(translation, chat) for name, translation in TRANSLATIONS.items()}
    return MappingProxyType(made | {"messages.count_tokens": EstimatedCount()} | dict(wires))
