"""POST /v1/audio/transcriptions and /v1/audio/translations: a form with a recording (OpenAI's API reference)."""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Any, ClassVar

import orjson

from foundation.errors import InvalidRequest
from inference.gateway import forms
from inference.gateway.forms import File
from inference.gateway.recordings import Recording, recording
from inference.gateway.surfaces.checks import Rules, customer, one_of, require, text
from inference.gateway.surfaces.surface import Surface
from inference.gateway.transcripts import tokens
from inference.gateway.wanted import Outcome, Wanted

FILE = "file"
GRANULARITIES = "timestamp_granularities[]"
FORMATS = ("json", "verbose_json", "text", "srt", "vtt")
SECONDS_PER_INPUT = 30
"""Engines listen to windows of so many seconds, each with the model's whole context (Whisper)."""
_NUMBER = re.compile(r"[01](?:\.[0-9]{0,16})?|\.[0-9]{1,16}")
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}\Z")
_MEDIA = re.compile(r"(?:audio|video)/[A-Za-z0-9.+-]{1,64}")


def _temperature(value: Any) -> bool:
    return isinstance(value, str) and _NUMBER.fullmatch(value) is not None and float(value) <= 1


def _granularities(value: Any) -> bool:
    return len(value) <= 2 and all(item in ("word", "segment") for item in value)


SENT: Rules = {
    "model": (text(256), "a string"),
    "language": (text(32), "a language"),
    "prompt": (text(32_768), "a string"),
    "response_format": (one_of(*FORMATS), f"one of {', '.join(FORMATS)}"),
    "temperature": (_temperature, "a number from 0 to 1"),
    "stream": (one_of("true", "false"), "true or false"),
    GRANULARITIES: (_granularities, "word, segment or both"),
}
_RULES: Rules = SENT | {"user": (customer, "a string of at most 128 printable characters")}


class Transcriptions(Surface):
    """What was said, charged by the seconds of the recording."""

    name: ClassVar[str] = "audio.transcriptions"
    path: ClassVar[str] = "/v1/audio/transcriptions"
    content_type = b"multipart/form-data"
    most_bytes = forms.MOST_FILE_BYTES + forms.MOST_PARTS * forms.MOST_HEADERS * forms.MOST_HEADER_BYTES
    unit = "seconds"

    def parse(self, body: bytes, content_type: bytes, digest: bytes) -> Wanted:
        """Check a form. A boundary is made up for each try, so what tells requests apart is what is in the form."""
        form = forms.parse(body, content_type, file=FILE)
        value = form.fields
        require(value, _RULES, "model")
        _check_together(value)
        heard = _recording(form.file)
        asked = {name: item for name, item in value.items() if name in SENT}
        return Wanted(
            model=value["model"],
            stream=value.get("stream") == "true",
            inputs=-(-heard.most_seconds // SECONDS_PER_INPUT),
            choices=max(1, -(-heard.likely_seconds // SECONDS_PER_INPUT)),
            has_media=True,
            customer=value.get("user") or "",
            quantity=heard.most_seconds,
            size=len(value.get("prompt", "")),
            digest=_digest(self.name, value, heard),
            fields=asked | {FILE: heard},
        )

    def replay(self, outcome: Outcome, *, streamed: bool) -> bytes:
        """Write a transcription without text."""
        told = {"text": "", "usage": tokens(outcome.prompt_tokens, outcome.completion_tokens)}
        if not streamed:
            return orjson.dumps(told)
        return b"data: " + orjson.dumps({"type": "transcript.text.done", **told}) + b"\n\ndata: [DONE]\n\n"


class Translations(Transcriptions):
    """The same in English."""

    name = "audio.translations"
    path = "/v1/audio/translations"


def _check_together(value: dict[str, Any]) -> None:
    wanted = value.get("response_format", "json")
    if value.get("stream") == "true" and wanted not in ("json", "text"):
        raise InvalidRequest("A stream has the response_format json or text.", param="response_format")
    if GRANULARITIES in value and wanted != "verbose_json":
        raise InvalidRequest(f"{GRANULARITIES} needs the response_format verbose_json.", param=GRANULARITIES)


def _recording(file: File | None) -> Recording:
    """Keep of a file's names what an engine needs to know its format."""
    if file is None or not file.data:
        raise InvalidRequest(f"{FILE} is empty.", param=FILE)
    suffix, media = _SUFFIX.search(file.name), file.media.partition(";")[0].strip()
    return recording(
        file.data,
        "audio" + (suffix[0].lower() if suffix else ""),
        media if _MEDIA.fullmatch(media) else "application/octet-stream",
    )


def _digest(name: str, value: dict[str, Any], heard: Recording) -> bytes:
    digest = blake2b(orjson.dumps(value, option=orjson.OPT_SORT_KEYS), digest_size=32, person=name.encode()[:16])
    digest.update(b"\0" + heard.data)
    return digest.digest()
