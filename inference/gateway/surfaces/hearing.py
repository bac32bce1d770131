"""POST /v1/audio/transcriptions and /v1/audio/translations: speech as text (OpenAI's API reference)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from hashlib import blake2b
from typing import Any, ClassVar, Final

import orjson

from foundation.errors import InvalidRequest, RequestTooLarge
from inference.gateway.surfaces import forms, recordings
from inference.gateway.surfaces.checks import customer
from inference.gateway.surfaces.forms import Form
from inference.gateway.surfaces.surface import Surface, whole_replay
from inference.gateway.wanted import Outcome, Wanted

MOST_AUDIO_BYTES: Final = 25 * 1024 * 1024
"""What OpenAI takes, and so what its SDKs' users expect."""
FORMATS: Final = ("json", "text", "srt", "verbose_json", "vtt")
SUFFIXES: Final = frozenset({"flac", "m4a", "mp3", "mp4", "mpeg", "mpga", "oga", "ogg", "opus", "wav", "webm"})

type Check = Callable[[str], bool]


def _number(least: int, most: int) -> Check:
    def check(value: str) -> bool:
        try:
            return least <= Decimal(value) <= most
        except InvalidOperation:
            return False

    return check


def _text(longest: int) -> Check:
    return lambda value: len(value) <= longest


def _one_of(*words: str) -> Check:
    return lambda value: value in words


_TIMES: Final = ("timestamp_granularities[]", "timestamp_granularities")
# What may be there: how often, what it may be, and that in words.
_COMMON: dict[str, tuple[int, Check, str]] = {
    "model": (1, _text(256), "a string"),
    "prompt": (1, _text(forms.LONGEST_VALUE), "a string"),
    "response_format": (1, _one_of(*FORMATS), f"one of {', '.join(FORMATS)}"),
    "temperature": (1, _number(0, 1), "a number from 0 to 1"),
    "user": (1, customer, "a string of at most 128 printable characters"),
}
_TRANSCRIPTIONS: dict[str, tuple[int, Check, str]] = _COMMON | {
    "language": (1, _text(16), "a language's code"),
    "stream": (1, _one_of("true", "false", "True", "False", "1", "0"), "true or false"),
    "chunking_strategy": (1, _one_of("auto"), "auto"),
    "include[]": (1, _one_of("logprobs"), "logprobs"),
    **dict.fromkeys(_TIMES, (2, _one_of("word", "segment"), "word or segment")),
}
_KEPT: Final = frozenset({"model", "user", "stream", "response_format"})


class Hearing(Surface):
    """A recording in, its text out. Charged by the second, as the engine measures it."""

    takes = "audio"
    content_type = b"multipart/form-data"
    most_bytes = MOST_AUDIO_BYTES + 256 * 1024
    generates = False
    counts_tokens = False
    unit = "seconds"
    fields: ClassVar[Mapping[str, tuple[int, Check, str]]]

    def parse(self, body: bytes, content_type: bytes, digest: bytes) -> Wanted:
        """Read the form. Fields are texts; `file` is a `File`, and `response_format` is always there."""
        form = forms.read(body, content_type)
        self._check(form)
        if form.file is None or not form.file.data:
            raise InvalidRequest("file is missing.", param="file")
        if len(form.file.data) > MOST_AUDIO_BYTES:
            raise RequestTooLarge(f"file is larger than {MOST_AUDIO_BYTES} bytes.", param="file")
        if _suffix(form.file.name) not in SUFFIXES:
            raise InvalidRequest(f"file must be named as one of {', '.join(sorted(SUFFIXES))}.", param="file")
        form_of_answer = form.single("response_format") or "json"
        streams = (form.single("stream") or "").lower() in ("true", "1")
        if streams and form_of_answer not in ("json", "text"):
            raise InvalidRequest("Only json can be streamed.", param="response_format")
        if any(name in form.values for name in _TIMES) and form_of_answer != "verbose_json":
            raise InvalidRequest("timestamp_granularities needs verbose_json.", param="timestamp_granularities")
        return self._wanted(form, form.file, form_of_answer, streams)

    def _check(self, form: Form) -> None:
        for name, values in form.values.items():
            rule = self.fields.get(name)
            if rule is None:
                raise InvalidRequest(f"Unknown field: {name[:64]}.", param=name[:64])
            most, check, words = rule
            if len(values) > most:
                raise InvalidRequest(f"{name} is there more than {most} times.", param=name)
            if not all(map(check, values)):
                raise InvalidRequest(f"{name} must be {words}.", param=name)
        if not form.single("model"):
            raise InvalidRequest("model is missing.", param="model")

    def _wanted(self, form: Form, file: forms.File, form_of_answer: str, streams: bool) -> Wanted:
        long = recordings.length(file.data)
        fields: dict[str, Any] = {name: values for name, values in form.values.items() if name not in _KEPT}
        return Wanted(
            model=form.values["model"][0],
            stream=streams,
            customer=form.single("user") or "",
            size=0,
            inputs=0,
            digest=self._digest(form, file),
            fields={**fields, "response_format": form_of_answer, "file": file},
            quantity=long.most,
            likely_quantity=long.likely,
            quantity_is_exact=long.exact,
        )

    def _digest(self, form: Form, file: forms.File) -> bytes:
        """Tell forms apart by what they say: each time they are sent their boundary is another."""
        digest = blake2b(file.data, digest_size=32, person=self.name.encode()[:16])
        digest.update(orjson.dumps([sorted(form.values.items()), file.name]))
        return digest.digest()

    def replay(self, outcome: Outcome, *, streamed: bool) -> bytes:
        """Write an answer without a text."""
        told = orjson.loads(whole_replay(outcome)) | {"text": ""}
        if not streamed:
            return orjson.dumps(told)
        return b"data: " + orjson.dumps({"type": "transcript.text.done"} | told) + b"\n\n"


class Transcriptions(Hearing):
    """The text in the language that is spoken."""

    name = "audio.transcriptions"
    path = "/v1/audio/transcriptions"
    fields = _TRANSCRIPTIONS


class Translations(Hearing):
    """The text in English."""

    name = "audio.translations"
    path = "/v1/audio/translations"
    fields = _COMMON


def _suffix(name: str) -> str:
    return name.rpartition(".")[2].lower()


def neutral_name(name: str) -> str:
    """Return what an engine may know of a file's name: in which format it is."""
    return f"audio.{_suffix(name)}"
