"""Wires of transcriptions and translations: a new form for the engine, its text in the format that was asked for.

The engine is always asked for JSON, because only there it says how many seconds it heard; texts and subtitles are made
of it here (OpenAI's API reference; vLLM's server, whose streams have chunks like chat's).
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import orjson

from inference.gateway.engines.wire import EVENT_STREAM, JSON, MISSHAPEN, Call, Passage, Stream, Whole
from inference.gateway.errors import UpstreamError
from inference.gateway.streams import Blocks, split_at_done, split_at_error
from inference.gateway.surfaces.hearing import neutral_name
from inference.gateway.translation import subtitles

if TYPE_CHECKING:
    from inference.gateway.orders import Order

TEXT = b"text/plain; charset=utf-8"
_VERBOSE = ("verbose_json", "srt", "vtt")
_SHOWN = ("text", "logprobs", "task", "language", "duration", "segments", "words")


class Hearing:
    """One of the two endpoints."""

    def __init__(self, path: str) -> None:
        self._path = path

    def call(self, order: Order, upstream_name: str) -> Call:
        """Send the recording on, under a name that says nothing but its format."""
        wanted = order.wanted
        fields = dict(wanted.fields)
        file, form_of_answer = fields.pop("file"), fields.pop("response_format")
        values = [("model", upstream_name)]
        values += [(name, value) for name, found in fields.items() for value in found]
        values.append(("response_format", "verbose_json" if form_of_answer in _VERBOSE else "json"))
        if wanted.stream:
            values.append(("stream", "true"))
        boundary = secrets.token_hex(24)
        return Call(
            self._path,
            b"".join(_form(values, neutral_name(file.name), file.data, boundary)),
            (EVENT_STREAM if wanted.stream else JSON,),
            f"multipart/form-data; boundary={boundary}",
        )

    def stream(self, order: Order) -> Stream:
        """Tell the text as it comes."""
        return TranscriptStream(order)

    def whole(self, order: Order, body: bytes, content_type: str) -> Whole:
        """Write the text in the format that was asked for."""
        answer = _object(body)
        if not isinstance(answer.get("text"), str):
            raise UpstreamError from ValueError("the engine's answer has no text")
        seconds = heard(answer)
        shown, kind = _written(answer, order.wanted.fields["response_format"], _charged(order, seconds))
        return Whole(shown, _usage(seconds), 0, kind)


class TranscriptStream:
    """OpenAI's events of a transcription, whether the engine writes those or chunks."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._blocks = Blocks()
        self._text: list[str] = []
        self._finished = False
        self._done: dict[str, Any] = {}
        self._seconds: int | None = None

    @property
    def outputs(self) -> int:
        """Pieces of text so far."""
        return len(self._text)

    @property
    def final(self) -> bool:
        """Whether all was said."""
        return self._finished

    def feed(self, chunk: bytes) -> Passage:
        """Take whole events up to the end or an error."""
        block, done = split_at_done(self._blocks.feed(chunk))
        block, broken = split_at_error(block)
        try:
            body = b"".join(piece for event in _events(block) for piece in self._told(event))
        except MISSHAPEN as cause:
            raise UpstreamError from cause
        if done and not (self._text or self._finished):
            return Passage(body, b"", broken=True)  # Nothing was said, and nothing that there is nothing to say.
        marker = self._end() if (done or self._done) and not broken else b""
        return Passage(body, marker, broken)

    def finish(self) -> bytes:
        """An engine that told why its text ended has only forgotten to say that it is over."""
        return self._end() if self._finished else b""

    def usage(self) -> Any:
        """Return the seconds, if the engine told them."""
        return _usage(self._seconds)

    def _told(self, event: dict[str, Any]) -> Iterator[bytes]:
        match event.get("type"):
            case "transcript.text.delta":
                yield from self._delta(event["delta"], event.get("logprobs"))
            case "transcript.text.done":
                self._done, self._finished, self._seconds = event, True, heard(event)
            case None:
                for choice in event["choices"]:
                    yield from self._delta(choice["delta"].get("content") or "", None)
                    self._finished = self._finished or bool(choice.get("finish_reason"))

    def _delta(self, text: str, logprobs: Any) -> Iterator[bytes]:
        if text:
            self._text.append(text)
            also = {} if logprobs is None else {"logprobs": logprobs}
            yield _event({"type": "transcript.text.delta", "delta": text} | also)

    def _end(self) -> bytes:
        self._finished = True
        text = self._done.get("text")
        said = text if isinstance(text, str) else "".join(self._text)
        usage = {"type": "duration", "seconds": _charged(self._order, self._seconds)}
        also = {"logprobs": self._done["logprobs"]} if "logprobs" in self._done else {}
        return _event({"type": "transcript.text.done", "text": said} | also | {"usage": usage})


def heard(answer: dict[str, Any]) -> int | None:
    """Return the whole seconds that an engine says it heard, rounded up; None if it says nothing of it."""
    usage = answer.get("usage")
    told = usage.get("seconds") if isinstance(usage, dict) else None
    for value in (told, answer.get("duration")):
        if value is None or isinstance(value, bool):
            continue
        try:
            seconds = Decimal(str(value))
        except InvalidOperation:
            continue
        if seconds.is_finite() and seconds >= 0:
            return math.ceil(seconds)
    return None


def _usage(seconds: int | None) -> Any:
    return None if seconds is None else {"prompt_tokens": 0, "completion_tokens": 0, "seconds": seconds}


def _charged(order: Order, seconds: int | None) -> int | None:
    return order.wanted.likely_quantity if seconds is None else seconds


def _written(answer: dict[str, Any], form_of_answer: str, seconds: int | None) -> tuple[bytes, bytes]:
    try:
        match form_of_answer:
            case "text":
                return answer["text"].encode() + b"\n", TEXT
            case "srt":
                return subtitles.srt(answer["segments"]).encode(), TEXT
            case "vtt":
                return subtitles.vtt(answer["segments"]).encode(), TEXT
    except (*MISSHAPEN, InvalidOperation) as cause:
        raise UpstreamError from cause
    shown = {name: answer[name] for name in _SHOWN if answer.get(name) is not None}
    return orjson.dumps(shown | {"usage": {"type": "duration", "seconds": seconds}}), JSON.encode()


def _form(values: list[tuple[str, str]], name: str, data: bytes, boundary: str) -> Iterator[bytes]:
    edge = f"--{boundary}\r\n".encode()
    for field, value in values:
        yield edge + f'content-disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'.encode()
    yield edge + f'content-disposition: form-data; name="file"; filename="{name}"\r\n'.encode()
    yield b"content-type: application/octet-stream\r\n\r\n"
    yield data
    yield f"\r\n--{boundary}--\r\n".encode()


def _events(block: bytes) -> Iterator[dict[str, Any]]:
    for line in block.splitlines():
        if line.startswith(b"data:"):
            yield _object(line[5:])


def _event(value: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(value) + b"\n\n"


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as cause:
        raise UpstreamError from cause
    if not isinstance(value, dict):
        raise UpstreamError from ValueError("the engine's answer is no object")
    return value


TRANSCRIPTIONS = Hearing("/v1/audio/transcriptions")
TRANSLATIONS = Hearing("/v1/audio/translations")
