"""A plain text told as OpenAI's chat completions or completions, whole or in chunks (its API reference)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from foundation.ids import uuid7

type Item = dict[str, Any]


class Tail:
    """Keeps the texts that end an answer out of it: the end of what came waits while it may be the start of one."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = [stop for stop in stops if stop]
        self._held = ""
        self._over = False

    def take(self, text: str) -> str:
        """Return what may go on."""
        if self._over or not self._stops:
            return "" if self._over else text
        held = self._held + text
        found = [at for at in (held.find(stop) for stop in self._stops) if at >= 0]
        if found:
            self._over, self._held = True, ""
            return held[: min(found)]
        kept = max(_overlap(held, stop) for stop in self._stops)
        self._held = held[len(held) - kept :]
        return held[: len(held) - kept]

    def rest(self) -> str:
        """Nothing more comes: return what waited."""
        rest, self._held = self._held, ""
        return rest


def _overlap(text: str, stop: str) -> int:
    """Return how much of the end of a text is the start of a stop."""
    longest = min(len(text), len(stop) - 1)
    return next((size for size in range(longest, 0, -1) if stop.startswith(text[-size:])), 0)


class TextAnswer:
    """One answer of one choice: its id, and what each piece of it looks like."""

    def __init__(self, *, is_chat: bool, model: str, created: int, include_usage: bool, continuous_usage: bool) -> None:
        self._is_chat = is_chat
        self._id = f"{'chatcmpl' if is_chat else 'cmpl'}-{uuid7().hex}"
        self._model = model
        self._created = created
        self._include_usage = include_usage
        self._continuous = include_usage and continuous_usage
        self._begun = False

    def piece(self, text: str, usage: Item | None) -> bytes:
        """Tell a piece of text, which may be empty; before the first one of a chat, who speaks."""
        opening = self._opening(usage)
        delta: Item = {"delta": {"content": text}} if self._is_chat else {"text": text}
        return opening + (self._chunk(delta, usage) if text else b"")

    def last(self, finish_reason: str, usage: Item | None) -> bytes:
        """Tell why it ended, and what was used to those who asked."""
        told = self._opening(usage)
        told += self._chunk({"delta": {}} if self._is_chat else {"text": ""}, usage, finish_reason)
        if self._include_usage and usage is not None:
            told += _data(self._head() | {"choices": [], "usage": usage})
        return told

    def whole(self, text: str, finish_reason: str, usage: Item | None) -> Item:
        """Return all of it at once."""
        said: Item = {"message": {"role": "assistant", "content": text}} if self._is_chat else {"text": text}
        choice = {"index": 0, **said, "logprobs": None, "finish_reason": finish_reason}
        answer = self._head(whole=True) | {"choices": [choice]}
        return answer if usage is None else answer | {"usage": usage}

    def _opening(self, usage: Item | None) -> bytes:
        if self._begun or not self._is_chat:
            return b""
        self._begun = True
        return self._chunk({"delta": {"role": "assistant", "content": ""}}, usage)

    def _chunk(self, said: Item, usage: Item | None, finish_reason: str | None = None) -> bytes:
        chunk = self._head() | {"choices": [{"index": 0, **said, "logprobs": None, "finish_reason": finish_reason}]}
        if self._continuous and usage is not None:
            chunk["usage"] = usage
        elif self._include_usage:
            chunk["usage"] = None
        return _data(chunk)

    def _head(self, *, whole: bool = False) -> Item:
        chat = "chat.completion" if whole else "chat.completion.chunk"
        object_ = chat if self._is_chat else "text_completion"
        return {"id": self._id, "object": object_, "created": self._created, "model": self._model}


def usage(prompt: int, completion: int) -> Item:
    """Write two counts as OpenAI writes usage."""
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _data(chunk: Item) -> bytes:
    return b"data: " + orjson.dumps(chunk) + b"\n\n"
