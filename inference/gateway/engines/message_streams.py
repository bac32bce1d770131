"""Server-sent events of Anthropic's messages, handled as bytes: deltas go on as they came, counted on their way.

Only the few events that begin and end a message are read and written anew: the public model name goes in, what is
private comes out, usage is noted. The rest is looked at as bytes, which is safe for the reason told in `streams.py`.
What tells the end of a message, its stop reason included, is held back until the charge is durable.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import orjson

from inference.gateway.engines.wire import Passage
from inference.gateway.errors import UpstreamError
from inference.gateway.estimating import LIKELY_BYTES_PER_TOKEN
from inference.gateway.streams import Blocks, events_of, split_at_error

STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
MESSAGE = ("id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "stop_details", "usage")
"""Of an engine's message, what may pass to the client."""
_USAGE = (
    "input_tokens",
    "output_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "cache_creation",
    "output_tokens_details",
)

_NAME = re.compile(rb"(?:\A|(?<=[\r\n]))event: ?([a-z_]+)")
_DATA = re.compile(rb"(?:\A|(?<=[\r\n]))data: ?(.*?)\r?\n")
# Only blocks in which one of these words occurs are taken apart. Text that has them costs time and nothing else.
_SPECIAL = re.compile(rb"message_|error|\[DONE\]|kv_transfer_params|\"metrics\"")
_OUTPUT = re.compile(rb'"(?:text|thinking|partial_json)"\s*:\s*"((?:[^"\\]|\\.)+)"')
_PRIVATE = (b'"kv_transfer_params"', b'"metrics"')


class MessageMeter:
    """What a message says of its usage, and how much of it there was."""

    def __init__(self, *, many_a_piece: bool = False) -> None:
        """`many_a_piece`: deltas have several tokens each, so that their text and not their number is counted."""
        self.outputs = 0
        self.final = False
        self._many = many_a_piece
        self._told: dict[str, int] = {}

    def observe(self, block: bytes) -> None:
        """Look at whole events."""
        for piece in _OUTPUT.finditer(block):
            length = piece.end(1) - piece.start(1)
            self.outputs += length // LIKELY_BYTES_PER_TOKEN + 1 if self._many else 1

    def note(self, usage: Any, *, last: bool) -> None:
        """Take what an event says was used. It is cumulative: the last number of each kind counts, none is added."""
        if isinstance(usage, dict):
            self._told |= {name: usage[name] for name in _USAGE[:4] if type(usage.get(name)) is int}
            self.final = last

    def take(self, raw: bytes, event: dict[str, Any]) -> None:
        """Look at one event that is read already."""
        self.observe(raw)
        if event.get("type") == "message_start":
            self.note(event["message"].get("usage"), last=False)
        elif event.get("type") == "message_delta":
            self.note(event.get("usage"), last=event["delta"].get("stop_reason") is not None)

    def usage(self) -> Any:
        """Return the usage in OpenAI's words. What an engine tells only at its end is counted by us until then."""
        if not self._told:
            return None
        written = self._told.get("output_tokens", 0)
        return openai_usage(self._told | {"output_tokens": written if self.final else max(written, self.outputs)})


class Metered:
    """A stream of a message's events: what it has come to is what its meter says."""

    def __init__(self, *, many_a_piece: bool) -> None:
        self._blocks = Blocks()
        self._meter = MessageMeter(many_a_piece=many_a_piece)

    @property
    def outputs(self) -> int:
        """Pieces of output so far."""
        return self._meter.outputs

    @property
    def final(self) -> bool:
        """Whether the usage is the last one."""
        return self._meter.final

    def usage(self) -> Any:
        """Return the latest usage."""
        return self._meter.usage()


class MessageStream(Metered):
    """A message that client and engine write in the same way."""

    def __init__(self, model: str, *, many_a_piece: bool = False) -> None:
        super().__init__(many_a_piece=many_a_piece)
        self._model = model
        self._held: list[bytes] = []

    def feed(self, chunk: bytes) -> Passage:
        """Take whole events up to the end of the message or an error."""
        block, broken = split_at_error(self._blocks.feed(chunk))
        self._meter.observe(block)
        if not _SPECIAL.search(block):
            return Passage(block, b"", broken)
        passed: list[bytes] = []
        for event in events_of(block):
            name = _name(event)
            if name == b"message_stop":
                return Passage(b"".join(passed), b"".join([*self._held, event]))
            if name == b"error" or (b'"error"' in event and data(event).get("error")):
                return Passage(b"".join(passed), b"", broken=True)
            passed.append(self._event(name, event))
        return Passage(b"".join(passed), b"", broken)

    def finish(self) -> bytes:
        """An engine that told why its message ended has only forgotten to say that it is over."""
        return b"".join([*self._held, STOP]) if self._held else b""

    def _event(self, name: bytes, event: bytes) -> bytes:
        if name == b"message_start":
            return self._start(event)
        if name == b"message_delta":
            return self._delta(event)
        if _is_done(event):
            return b""
        return _without_private(event) if any(word in event for word in _PRIVATE) else event

    def _start(self, event: bytes) -> bytes:
        message = data(event).get("message")
        if not isinstance(message, dict):
            raise UpstreamError from ValueError("a message starts without a message")
        self._meter.note(message.get("usage"), last=False)
        return write(b"message_start", {"type": "message_start", "message": shown(message, self._model)})

    def _delta(self, event: bytes) -> bytes:
        told = data(event)
        delta = told.get("delta")
        ends = isinstance(delta, dict) and delta.get("stop_reason") is not None
        self._meter.note(told.get("usage"), last=ends)
        written = write(b"message_delta", _kept(told, ("type", "delta", "usage")))
        if not ends:
            return written
        self._held.append(written)
        return b""


def openai_usage(told: Any) -> dict[str, Any] | None:
    """Write Anthropic's usage in OpenAI's words; None for what is none.

    Its input tokens are only those that no cache was asked for.
    """
    if not isinstance(told, dict):
        return None
    fresh, made, written, read = (told.get(name) or 0 for name in _USAGE[:4])
    if any(type(count) is not int for count in (fresh, made, written, read)):
        return None
    return {
        "prompt_tokens": fresh + read + written,
        "completion_tokens": made,
        "prompt_tokens_details": {"cached_tokens": read},
    }


def shown(message: dict[str, Any], model: str) -> dict[str, Any]:
    """Return what a client may see of an engine's message, under the public name of the model."""
    return {"stop_sequence": None} | _kept(message, MESSAGE) | {"model": model}


def events(block: bytes) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """Read the events in a block of whole ones, each with its bytes. Comments and OpenAI's marker are none."""
    for event in events_of(block):
        if _DATA.search(event) and not _is_done(event):
            yield event, data(event)


def data(event: bytes) -> dict[str, Any]:
    """Read an event's object. Raises `UpstreamError`."""
    found = _DATA.search(event)
    try:
        value = orjson.loads(found.group(1)) if found else None
    except orjson.JSONDecodeError as cause:
        raise UpstreamError from cause
    if not isinstance(value, dict):
        raise UpstreamError from ValueError("an event has no object")
    return value


def write(name: bytes, value: dict[str, Any]) -> bytes:
    """Write an event."""
    return b"event: %s\ndata: %s\n\n" % (name, orjson.dumps(value))


def _kept(value: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    kept = {name: value[name] for name in names if name in value}
    if isinstance(kept.get("usage"), dict):
        kept["usage"] = {name: kept["usage"][name] for name in _USAGE if name in kept["usage"]}
    return kept


def _name(event: bytes) -> bytes:
    """Return an event's name, which is its type; some servers write only the one and not the other."""
    found = _NAME.search(event)
    if found is not None:
        return found.group(1)
    if _DATA.search(event) is None or _is_done(event):
        return b""
    return str(data(event).get("type", "")).encode()


def _is_done(event: bytes) -> bool:
    """Say whether it is OpenAI's end marker, with which vLLM ends even a message."""
    found = _DATA.search(event) if b"[DONE]" in event else None
    return found is not None and found.group(1) == b"[DONE]"


def _without_private(event: bytes) -> bytes:
    kept = {name: item for name, item in data(event).items() if b'"%s"' % name.encode() not in _PRIVATE}
    return write(_name(event), kept)
