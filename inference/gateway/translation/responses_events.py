"""A stream of OpenAI's chat completion chunks, told in the events of its responses.

Items are told one after the other; only calls whose pieces an engine mixes are open at once. Every event is numbered.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import orjson

from inference.gateway.translation import responses_answer as words
from inference.gateway.translation.responses_answer import Item

# What chat calls its parts, the item that it is in, the part and its events, and the member with the text.
_SPOKEN = (
    ("reasoning_content", "reasoning", "reasoning_text", "text"),
    ("reasoning", "reasoning", "reasoning_text", "text"),
    ("content", "message", "output_text", "text"),
    ("refusal", "message", "refusal", "refusal"),
)


@dataclass(slots=True)
class _Spoken:
    """An item that is said or thought; a message may have text and a refusal after it."""

    index: int
    item: str
    parts: list[tuple[str, str, list[str]]] = field(default_factory=list)

    def done(self, name: str, status: str) -> Item:
        """Write it as it is at its end."""
        if self.item == "reasoning":
            return words.reasoning(name, "".join(self.parts[0][2]), status)
        return words.message(name, [_part(kind, member, "".join(said)) for kind, member, said in self.parts], status)


@dataclass(slots=True)
class _Call:
    """A call of a function as far as it is known; `index` is its place once its name is known."""

    number: int
    id: str = ""
    name: str = ""
    index: int = -1
    written: list[str] = field(default_factory=list)

    def item(self, name: str, status: str) -> Item:
        """Write it."""
        given = "" if status == "in_progress" else "".join(self.written)
        return words.call(name, self.number, self.id, self.name, given, status)


class ResponseEvents:
    """The state of one stream: what is open, and what is known for the end."""

    def __init__(self, model: str, asked: Item) -> None:
        self._model = model
        self._asked = asked
        self._created = int(time.time())
        self._name = ""
        self._number = 0
        self._items: list[Item] = []
        self._open: _Spoken | None = None
        self._calls: dict[int, _Call] = {}
        self._finish: Any = None
        self._usage: Any = None

    def chunk(self, chunk: Item) -> bytes:
        """Tell one chunk."""
        if isinstance(chunk.get("usage"), dict):
            self._usage = chunk["usage"]
        told = [] if self._number else self._start(chunk)
        for choice in chunk.get("choices") or ():
            self._finish = choice.get("finish_reason") or self._finish
            told += self._delta(choice.get("delta") or {})
        return b"".join(told)

    def end(self, counted: Item) -> tuple[bytes, bytes]:
        """Close the items; the event that says that the response is complete comes apart from that."""
        told = [] if self._number else self._start({})
        cut = words.cut_by(self._finish)
        told += self._close("incomplete" if cut else "completed")
        for call in self._calls.values():
            told += self._called(call, "incomplete" if cut else "completed")
        response = self._response(cut, words.usage(self._usage, counted))
        return b"".join(told), self._event(f"response.{response['status']}", {"response": response})

    def _start(self, chunk: Item) -> list[bytes]:
        self._name = words.plain_id(chunk.get("id"))
        begun = {"response": self._response(None, None)}
        return [self._event("response.created", begun), self._event("response.in_progress", begun)]

    def _response(self, cut: str | None, used: Item | None) -> Item:
        return words.framed(self._name, self._asked, self._model, self._created, items=self._items, cut=cut, used=used)

    def _delta(self, delta: Item) -> list[bytes]:
        told: list[bytes] = []
        for name, item, kind, member in _SPOKEN:
            text = delta.get(name)
            if text and not (name == "reasoning" and delta.get("reasoning_content")):
                told += self._say(item, kind, member, text)
        for piece in delta.get("tool_calls") or ():
            told += self._call(piece)
        return told

    def _say(self, item: str, kind: str, member: str, text: str) -> list[bytes]:
        told: list[bytes] = []
        if self._open is None or self._open.item != item:
            told += [*self._close("completed"), self._begin(item)]
        spoken = self._open
        assert spoken is not None  # noqa: S101 - for the reader of types: it was opened just now
        if not spoken.parts or spoken.parts[-1][0] != kind:
            told += self._part_done(spoken)
            spoken.parts.append((kind, member, []))
            told.append(
                self._event("response.content_part.added", self._place(spoken, {"part": _part(kind, member, "")}))
            )
        spoken.parts[-1][2].append(text)
        more: Item = {"delta": text} | ({"logprobs": []} if kind == "output_text" else {})
        return [*told, self._event(f"response.{kind}.delta", self._place(spoken, more))]

    def _begin(self, item: str) -> bytes:
        self._open = _Spoken(len(self._items), item)
        begun = words.reasoning(self._name, "", "in_progress") if item == "reasoning" else None
        begun = begun or words.message(self._name, [], "in_progress")
        self._items.append(begun)
        return self._event("response.output_item.added", {"output_index": self._open.index, "item": begun})

    def _close(self, status: str) -> list[bytes]:
        spoken, self._open = self._open, None
        if spoken is None:
            return []
        told = self._part_done(spoken)
        self._items[spoken.index] = item = spoken.done(self._name, status)
        return [*told, self._event("response.output_item.done", {"output_index": spoken.index, "item": item})]

    def _part_done(self, spoken: _Spoken) -> list[bytes]:
        if not spoken.parts:
            return []
        kind, member, said = spoken.parts[-1]
        text = "".join(said)
        more: Item = {member: text} | ({"logprobs": []} if kind == "output_text" else {})
        return [
            self._event(f"response.{kind}.done", self._place(spoken, more)),
            self._event("response.content_part.done", self._place(spoken, {"part": _part(kind, member, text)})),
        ]

    def _place(self, spoken: _Spoken, more: Item) -> Item:
        place = {"item_id": self._items[spoken.index]["id"], "output_index": spoken.index}
        return place | {"content_index": max(0, len(spoken.parts) - 1)} | more

    def _call(self, piece: Item) -> list[bytes]:
        number, function = piece.get("index") or 0, piece.get("function") or {}
        call = self._calls.setdefault(number, _Call(number))
        call.id, call.name = call.id or piece.get("id") or "", call.name or function.get("name") or ""
        written: str = function.get("arguments") or ""
        call.written.append(written)
        told: list[bytes] = []
        if call.index < 0:
            if not call.name:
                return []
            told += self._close("completed")
            call.index, item = len(self._items), call.item(self._name, "in_progress")
            self._items.append(item)
            told.append(self._event("response.output_item.added", {"output_index": call.index, "item": item}))
            written = "".join(call.written)
        if written:
            place = {"item_id": self._items[call.index]["id"], "output_index": call.index, "delta": written}
            told.append(self._event("response.function_call_arguments.delta", place))
        return told

    def _called(self, call: _Call, status: str) -> list[bytes]:
        if call.index < 0:
            return []
        self._items[call.index] = item = call.item(self._name, status)
        place = {"item_id": item["id"], "output_index": call.index}
        given = {"name": call.name, "arguments": item["arguments"]}
        return [
            self._event("response.function_call_arguments.done", place | given),
            self._event("response.output_item.done", {"output_index": call.index, "item": item}),
        ]

    def _event(self, name: str, members: Item) -> bytes:
        told = {"type": name, "sequence_number": self._number} | members
        self._number += 1
        return b"event: %s\ndata: %s\n\n" % (name.encode(), orjson.dumps(told))


def _part(kind: str, member: str, text: str) -> Item:
    return words.text_part(text) if kind == "output_text" else {"type": kind, member: text}
