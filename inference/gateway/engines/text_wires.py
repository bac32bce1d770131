"""Chat completions and completions before an engine that only continues a text.

Messages become a text by the deployment's chat template; the text that comes back is told as chunks.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from foundation import clock
from foundation.errors import InvalidRequest
from inference.gateway.engines import templates
from inference.gateway.engines.bridge import chunks
from inference.gateway.engines.openai_wires import DONE
from inference.gateway.engines.wire import MISSHAPEN, Call, Passage, Stream, Whole
from inference.gateway.errors import UpstreamError
from inference.gateway.streams import Blocks
from inference.gateway.translation.text_answers import Tail, TextAnswer

if TYPE_CHECKING:
    from inference.gateway.orders import Order

type Item = dict[str, Any]


class Reader(Protocol):
    """Reads one answer, event by event."""

    outputs: int
    """Tokens so far."""
    over: bool
    """Whether the engine has said that this was all."""

    @property
    def finish_reason(self) -> str:
        """Say why it ended, as OpenAI does."""

    def take(self, event: Item) -> str:
        """Take an event, and return its text. What it raises of `MISSHAPEN` says that it is none."""

    def end(self) -> bool:
        """The engine says no more: return whether the answer is whole, and be over if it is."""

    def usage(self) -> Item | None:
        """Return what was used so far as OpenAI writes it, None where the engine does not say."""


class Native(Protocol):
    """What an engine that continues texts is asked, and how it answers."""

    def call(self, order: Order, upstream_name: str, prompt: str, stops: list[str]) -> Call:
        """Ask for what comes after a prompt. Raises `InvalidRequest`."""

    def reader(self, order: Order) -> Reader:
        """Begin to read an answer."""

    def events(self, body: bytes) -> Iterable[Item]:
        """Return the events of an answer that came whole."""


class TextWire:
    """One of the two endpoints before such an engine."""

    def __init__(self, native: Native) -> None:
        self._native = native

    def call(self, order: Order, upstream_name: str) -> Call:
        """Ask for what comes after the messages, or after the prompt."""
        fields = order.wanted.fields
        text = templates.prompt(order.template, fields["messages"]) if _is_chat(order) else fields["prompt"]
        return self._native.call(order, upstream_name, text, _stops(order))

    def stream(self, order: Order) -> Stream:
        """Tell texts as chunks."""
        return TextStream(order, self._native.reader(order))

    def whole(self, order: Order, body: bytes, content_type: str) -> Whole:
        """Tell all of the text as one answer."""
        reader, tail = self._native.reader(order), Tail(_stops(order))
        try:
            text = "".join(tail.take(reader.take(_sound(event))) for event in self._native.events(body)) + tail.rest()
        except MISSHAPEN as cause:
            raise UpstreamError from cause
        if not reader.end():
            raise UpstreamError from ValueError("the engine's answer is not whole")
        answer = _answer(order).whole(text, reader.finish_reason, reader.usage())
        return Whole(orjson.dumps(answer), reader.usage(), reader.outputs)


class TextStream:
    """A text on its way to a client of one of the two endpoints."""

    def __init__(self, order: Order, reader: Reader) -> None:
        self._blocks = Blocks()
        self._reader = reader
        self._tail = Tail(_stops(order))
        self._answer = _answer(order)

    @property
    def outputs(self) -> int:
        """Tokens so far."""
        return self._reader.outputs

    @property
    def final(self) -> bool:
        """Whether the usage is the last one."""
        return self._reader.over and self._reader.usage() is not None

    def usage(self) -> Any:
        """Return the latest usage."""
        return self._reader.usage()

    def feed(self, chunk: bytes) -> Passage:
        """Tell what came, up to the engine's last word or an error."""
        told: list[bytes] = []
        for event in chunks(self._blocks.feed(chunk)):
            if "error" in event:
                return Passage(b"".join(told), b"", broken=True)
            try:
                text = self._tail.take(self._reader.take(event))
            except MISSHAPEN as cause:
                raise UpstreamError from cause
            told.append(self._answer.piece(text, self._reader.usage()))
            if self._reader.over:
                return Passage(b"".join(told) + self._last(), DONE)
        return Passage(b"".join(told))

    def finish(self) -> bytes:
        """Tell the end, where an engine has none but the end of its stream."""
        return self._last() + DONE if self._reader.end() else b""

    def _last(self) -> bytes:
        rest, usage = self._tail.rest(), self._reader.usage()
        return (self._answer.piece(rest, usage) if rest else b"") + self._answer.last(self._reader.finish_reason, usage)


def check_prompt(asked: Item) -> None:
    """Raise `InvalidRequest` for what is not one text."""
    if not isinstance(asked["prompt"], str):
        raise InvalidRequest("This model's engine takes one prompt, a string.", param="prompt")


def _is_chat(order: Order) -> bool:
    return "messages" in order.wanted.fields


def _stops(order: Order) -> list[str]:
    stop = order.wanted.fields.get("stop") or []
    asked = stop if isinstance(stop, list) else [stop]
    return [*asked, *(templates.ends(order.template) if _is_chat(order) else ())]


def _answer(order: Order) -> TextAnswer:
    wanted = order.wanted
    return TextAnswer(
        is_chat=_is_chat(order),
        model=order.model.id,
        created=int(clock.now().timestamp()),
        include_usage=wanted.include_usage,
        continuous_usage=wanted.continuous_usage,
    )


def _sound(event: Item) -> Item:
    if "error" in event:
        raise UpstreamError from ValueError("the engine reported an error in its answer")
    return event
