"""OpenAI's wires of sound: a recording goes out as a form and comes back as text, or text comes back as sound."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import orjson

from inference.gateway.engines.wire import EVENT_STREAM, MISSHAPEN, Call, Passage, Stream, Whole
from inference.gateway.errors import UpstreamError
from inference.gateway.estimating import LIKELY_BYTES_PER_TOKEN
from inference.gateway.recordings import Recording
from inference.gateway.transcript_streams import TranscriptStream
from inference.gateway.transcripts import openai_usage, seconds
from inference.gateway.translation import subtitles

if TYPE_CHECKING:
    from inference.gateway.orders import Order

TEXT = b"text/plain; charset=utf-8"
# Of an engine's answer, what may pass to the client.
_SHOWN = ("text", "task", "language", "duration", "segments", "words", "logprobs", "usage")
# Only these two say how long the recording is, and engines differ in what else they write.
_ASKED = {"text": "json", "srt": "verbose_json", "vtt": "verbose_json"}


class Transcription:
    """Transcriptions and translations. `with_usage` is what makes an engine tell its usage in a stream."""

    def __init__(self, path: str, with_usage: tuple[tuple[str, str], ...] = ()) -> None:
        self._path = path
        self._with_usage = with_usage

    def call(self, order: Order, upstream_name: str) -> Call:
        """Write the form anew: nothing of the client's goes on but what was checked."""
        fields = dict(order.wanted.fields)
        heard: Recording = fields.pop("file")
        fields |= {"model": upstream_name, "response_format": _ASKED.get(_format(order), _format(order))}
        if order.wanted.stream:
            fields |= dict(self._with_usage)
        boundary = secrets.token_hex(16)
        body = b"".join(_form(boundary.encode(), fields, heard))
        media = (EVENT_STREAM,) if order.wanted.stream else ("application/json",)
        return Call(self._path, body, media, f"multipart/form-data; boundary={boundary}")

    def stream(self, order: Order) -> Stream:
        """Tell it as it is heard."""
        return TranscriptStream(order.wanted.fields["file"])

    def whole(self, order: Order, body: bytes, content_type: str) -> Whole:
        """Write what was heard in the format that the client wants, and note how long it was."""
        answer, heard = _parsed(body), order.wanted.fields["file"]
        length = seconds(answer)
        try:
            written, kind = _written(answer, _format(order))
        except (*MISSHAPEN, ArithmeticError) as cause:
            raise UpstreamError from cause
        return Whole(
            written,
            openai_usage(answer.get("usage")),
            # To hear that nothing was said is an answer, too.
            len(answer["text"].encode()) // LIKELY_BYTES_PER_TOKEN + 1,
            quantity=heard.likely_seconds if length is None else length,
            content_type=kind,
        )


class Speech:
    """Speech: the sound goes through as it comes."""

    def call(self, order: Order, upstream_name: str) -> Call:
        """Ask for sound."""
        body = orjson.dumps({**order.wanted.fields, "model": upstream_name})
        return Call("/v1/audio/speech", body, ("audio/",))

    def stream(self, order: Order) -> Stream:
        """Pass bytes on."""
        return FileStream()

    def whole(self, order: Order, body: bytes, content_type: str) -> Whole:
        """It is always a stream."""
        raise UpstreamError


class FileStream:
    """A file on its way. Its last byte is what makes it complete, and so waits for the charge."""

    final = False

    def __init__(self) -> None:
        self.outputs = 0
        self._last = b""

    def feed(self, chunk: bytes) -> Passage:
        """Pass all on but the last byte."""
        if not chunk:
            return Passage(b"")
        body, self._last = self._last + chunk[:-1], chunk[-1:]
        self.outputs += bool(body)
        return Passage(body)

    def finish(self) -> bytes:
        """Return the last byte; there is none in an empty file, which is no sound."""
        return self._last

    def usage(self) -> Any:
        """Sound tells nothing of itself."""
        return None


def _format(order: Order) -> str:
    return str(order.wanted.fields.get("response_format", "json"))


def _form(boundary: bytes, fields: dict[str, Any], heard: Recording) -> Iterator[bytes]:
    """Write a form (RFC 7578). Names are ours; values cannot hold a boundary that nobody could guess."""
    for name, value in fields.items():
        for item in value if isinstance(value, list) else [value]:
            head = b'--%s\r\ncontent-disposition: form-data; name="%s"\r\n\r\n' % (boundary, name.encode())
            yield head + item.encode() + b"\r\n"
    yield b'--%s\r\ncontent-disposition: form-data; name="file"; filename="%s"\r\ncontent-type: %s\r\n\r\n' % (
        boundary,
        heard.name.encode(),
        heard.media.encode(),
    )
    yield heard.data
    yield b"\r\n--%s--\r\n" % boundary


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError as cause:
        raise UpstreamError from cause
    if not isinstance(answer, dict) or not isinstance(answer.get("text"), str):
        raise UpstreamError from ValueError("the engine's answer has no text")
    return answer


def _written(answer: dict[str, Any], wanted: str) -> tuple[bytes, bytes]:
    if wanted == "text":
        return answer["text"].encode() + b"\n", TEXT
    if wanted == "srt":
        return subtitles.srt(answer["segments"]), TEXT
    if wanted == "vtt":
        return subtitles.vtt(answer["segments"]), TEXT
    return orjson.dumps({name: answer[name] for name in _SHOWN if name in answer}), b"application/json"
