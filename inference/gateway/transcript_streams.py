"""A transcription as it is heard, told in OpenAI's events, whether the engine writes those or vLLM's chunks."""

from __future__ import annotations

from typing import Any

import orjson

from inference.gateway.engines.bridge import chunks
from inference.gateway.engines.wire import MISSHAPEN, Measured, Passage
from inference.gateway.errors import UpstreamError
from inference.gateway.recordings import Recording
from inference.gateway.streams import Blocks, split_at_done, split_at_error
from inference.gateway.transcripts import openai_usage, seconds, shown_usage

DONE = b"data: [DONE]\n\n"


class TranscriptStream(Measured):
    """Deltas go on as they come; the event with the whole text is the end marker."""

    def __init__(self, heard: Recording) -> None:
        self.outputs = 0
        self.final = False
        self._likely_seconds = heard.likely_seconds
        self._blocks = Blocks()
        self._text: list[str] = []
        self._told: Any = None
        self._finished = False

    @property
    def quantity(self) -> int:
        """Seconds: what the engine says; our own guess until then."""
        told = seconds({"usage": self._told})
        return self._likely_seconds if told is None else told

    def usage(self) -> Any:
        """Return the latest usage in the words of chat."""
        return openai_usage(self._told)

    def feed(self, chunk: bytes) -> Passage:
        """Take whole events up to the end or an error."""
        block, marker = split_at_done(self._blocks.feed(chunk))
        block, broken = split_at_error(block)
        passed: list[bytes] = []
        for told in chunks(block):
            try:
                passed.append(self._read(told))
            except MISSHAPEN as cause:
                raise UpstreamError from cause
            if told.get("type") == "transcript.text.done":
                return Passage(b"".join(passed), self._done())
        return Passage(b"".join(passed), self._done() if marker and not broken else b"", broken)

    def finish(self) -> bytes:
        """An engine that said why it stopped has only forgotten to say that it is done."""
        return self._done() if self._finished else b""

    def _read(self, told: dict[str, Any]) -> bytes:
        if told.get("usage"):
            self._told, self.final = told["usage"], True
        if told.get("type") == "transcript.text.done":
            self._text = [str(told["text"])]
            return b""
        if "type" in told:
            return self._delta(told["delta"]) if told["type"] == "transcript.text.delta" else b""
        written = b""
        for choice in told["choices"]:
            self._finished = self._finished or bool(choice.get("finish_reason"))
            written += self._delta(choice["delta"].get("content"))
        return written

    def _delta(self, text: str | None) -> bytes:
        if not text:
            return b""
        self.outputs += 1
        self._text.append(text)
        return _event({"type": "transcript.text.delta", "delta": text})

    def _done(self) -> bytes:
        # To hear that nothing was said is an answer, too.
        self.outputs = max(1, self.outputs)
        told = {"type": "transcript.text.done", "text": "".join(self._text)}
        try:
            usage = shown_usage(self._told)
        except MISSHAPEN:
            usage = None
        return _event(told if usage is None else told | {"usage": usage}) + DONE


def _event(told: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(told) + b"\n\n"
