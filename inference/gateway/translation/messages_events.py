"""A stream of OpenAI's chat completion chunks, told in the events of Anthropic's messages.

Blocks are told one after the other, as Anthropic does. Only calls of tools whose pieces an engine mixes are open at
once: a block that is closed cannot go on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson

from inference.gateway.translation.messages_answer import Item, message_id, stopped, usage

PING = b'event: ping\ndata: {"type":"ping"}\n\n'
STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
# What chat calls its parts, in which block it belongs, and how that block calls it.
_SPOKEN = (
    ("reasoning_content", "thinking"),
    ("reasoning", "thinking"),
    ("content", "text"),
    ("refusal", "text"),
)
_EMPTY: dict[str, Item] = {
    "thinking": {"type": "thinking", "thinking": "", "signature": ""},
    "text": {"type": "text", "text": ""},
}


def event(name: str, members: Item) -> bytes:
    """Write one event: its type is its name."""
    return b"event: %s\ndata: %s\n\n" % (name.encode(), orjson.dumps({"type": name} | members))


@dataclass(slots=True)
class _Call:
    """One call of a tool as far as it is known; `block` is its place once its name is known."""

    id: str = ""
    name: str = ""
    block: int | None = None
    written: list[str] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether its arguments are complete, so that it needs no more of them."""
        try:
            orjson.loads("".join(self.written))
        except orjson.JSONDecodeError:
            return False
        return True


class MessageEvents:
    """The state of one stream: which block is open, and what is known for the end."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._started = False
        self._blocks = 0
        self._open: dict[int, str] = {}
        self._calls: dict[int, _Call] = {}
        self._refused = False
        self._last: Item = {}
        self._usage: Any = None

    def chunk(self, chunk: Item) -> bytes:
        """Tell one chunk."""
        if isinstance(chunk.get("usage"), dict):
            self._usage = chunk["usage"]
        told = [] if self._started else self._start(chunk)
        for choice in chunk.get("choices") or ():
            if choice.get("finish_reason"):
                self._last = choice
            told += self._delta(choice.get("delta") or {})
        return b"".join(told)

    def end(self, counted: Item) -> tuple[bytes, bytes]:
        """Close the blocks; what says that the message is complete comes apart from that."""
        told = [] if self._started else self._start({})
        told += self._close(list(self._open))
        reason, sequence = stopped(self._last, called=bool(self._calls), refused=self._refused)
        delta = {"stop_reason": reason, "stop_sequence": sequence}
        last = event("message_delta", {"delta": delta, "usage": usage(self._usage, counted)})
        return b"".join(told), last + STOP

    def _start(self, chunk: Item) -> list[bytes]:
        self._started = True
        begun: Item = {
            "id": message_id(chunk.get("id")),
            "type": "message",
            "role": "assistant",
            "model": self._model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage(self._usage, {}),
        }
        return [event("message_start", {"message": begun}), PING]

    def _delta(self, delta: Item) -> list[bytes]:
        told: list[bytes] = []
        for name, kind in _SPOKEN:
            text = delta.get(name)
            if text and not (name == "reasoning" and delta.get("reasoning_content")):
                self._refused = self._refused or name == "refusal"
                told += self._say(kind, text)
        for call in delta.get("tool_calls") or ():
            told += self._call(call)
        return told

    def _say(self, kind: str, text: str) -> list[bytes]:
        told: list[bytes] = []
        if kind not in self._open.values():
            told = [*self._close_done(), self._begin(kind, _EMPTY[kind])]
        return [*told, _piece(self._blocks - 1, f"{kind}_delta", kind, text)]

    def _call(self, piece: Item) -> list[bytes]:
        number, function = piece.get("index") or 0, piece.get("function") or {}
        call = self._calls.setdefault(number, _Call())
        call.id, call.name = call.id or piece.get("id") or "", call.name or function.get("name") or ""
        written: str = function.get("arguments") or ""
        told: list[bytes] = []
        if call.block is None:
            if not call.name:
                call.written.append(written)
                return []
            told += self._close_done()
            begun: Item = {"type": "tool_use", "id": call.id or f"toolu_{number}", "name": call.name, "input": {}}
            told.append(self._begin("tool_use", begun))
            call.block = self._blocks - 1
            written = "".join(call.written) + written
            call.written.clear()
        if written and call.block in self._open:
            call.written.append(written)
            told.append(_piece(call.block, "input_json_delta", "partial_json", written))
        return told

    def _begin(self, kind: str, block: Item) -> bytes:
        self._open[self._blocks] = kind
        self._blocks += 1
        return event("content_block_start", {"index": self._blocks - 1, "content_block": block})

    def _close_done(self) -> list[bytes]:
        """Close what is open, but no call that still waits for arguments."""
        waiting = {call.block for call in self._calls.values() if not call.whole}
        return self._close([block for block in self._open if block not in waiting])

    def _close(self, blocks: list[int]) -> list[bytes]:
        for block in blocks:
            del self._open[block]
        return [event("content_block_stop", {"index": block}) for block in blocks]


def _piece(index: int, kind: str, member: str, text: str) -> bytes:
    return b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":%s}\n\n' % (
        index,
        orjson.dumps({"type": kind, member: text}),
    )
