"""`POST /v1/audio/transcriptions` and `/v1/audio/translations` as vLLM serves them."""

import time
from typing import Any

import orjson

from inference.simulator import bodies, forms, jobs, sounds
from inference.simulator.bodies import Body, Tokens
from inference.simulator.chunks import Choices, Document
from inference.simulator.dialects import Answer
from inference.simulator.jobs import FinishReason, Job, Wish
from inference.simulator.metering import Meter
from inference.simulator.options import Options
from inference.simulator.prompts import Prompt
from inference.simulator.protocol import Request
from inference.simulator.refusals import Refused
from inference.simulator.scripts import Said

TOKENS_PER_SECOND = 10
"""What a second of sound costs of the prompt."""
_FORMATS = ("json", "text", "srt", "verbose_json", "vtt")
_TEXT = b"text/plain; charset=utf-8"


class Transcriptions(Choices):
    """The text of a recording; it follows from the recording's bytes."""

    endpoint = "/v1/audio/transcriptions"
    id_prefix = "trsc-"
    task = "transcribe"
    chunk_object = whole_object = "transcription.chunk"

    def read(self, request: Request, options: Options) -> Job:
        form = forms.read(request, options)
        data = form.files.get("file")
        if data is None:
            raise Refused(400, "file: Field required", param="file")
        if form.fields.get("response_format", "json") not in _FORMATS:
            raise Refused(
                400, f"response_format: Input should be one of {', '.join(_FORMATS)}", param="response_format"
            )
        length = sounds.seconds(data)
        stream = forms.flag(form, "stream")
        include = forms.flag(form, "stream_include_usage")
        prompt = Prompt(data, max(1, round(length * TOKENS_PER_SECOND)), str(form.fields.get("prompt", "")))
        wish = Wish(
            prompts=(prompt,),
            stream=stream,
            include_usage=include,
            continuous_usage=include and forms.flag(form, "stream_continuous_usage_stats"),
        )
        return jobs.generating(wish, {**form.fields, "seconds": length}, request.headers, options)

    def head(self, answer: Answer, object_: str) -> Document:
        return {"id": answer.id, "object": object_, "created": int(time.time()), "model": answer.model}

    def chunk(self, index: int, delta: Document, logprobs: Any, finish: FinishReason | None) -> Document:
        return {"delta": delta, "finish_reason": finish, "stop_reason": None}

    def deltas(self, answer: Answer, choice: int, said: Said) -> list[Document]:
        return [{"content": Tokens([said.word])}]

    def whole(self, answer: Answer) -> Body:
        wanted = answer.job.asked.get("response_format", "json")
        if wanted == "verbose_json":
            return bodies.json(self._verbose(answer))
        if wanted == "json":
            return bodies.json({"text": _words(answer), **self._usage(answer)})
        if wanted == "text":
            return Body([_plain(answer)], _TEXT)
        return Body(
            [b"WEBVTT\n\n", _cues(answer, b".", b"")] if wanted == "vtt" else [_cues(answer, b",", b"%d\n")], _TEXT
        )

    @staticmethod
    def _usage(answer: Answer) -> Document:
        meter = Meter(answer.job)
        constant = meter.counts().prompt if answer.job.directive.usage in ("zero", "huge") else None
        length = int(-(-answer.job.asked["seconds"] // 1)) if constant is None else constant
        return {"usage": {"type": "duration", "seconds": length}} if meter.in_whole else {}

    def _verbose(self, answer: Answer) -> Document:
        asked, length = answer.job.asked, answer.job.asked["seconds"]
        text = answer.job.text()
        wanted = asked.get("timestamp_granularities[]", ["segment"])
        segment = {
            "id": 0,
            "seek": 0,
            "start": 0.0,
            "end": length,
            "text": text,
            "tokens": list(range(answer.job.tokens)),
            "temperature": 0.0,
            "avg_logprob": -0.2,
            "compression_ratio": 1.2,
            "no_speech_prob": 0.01,
        }
        return {
            "task": self.task,
            "duration": str(length),
            "language": asked.get("language", "en"),
            "text": _words(answer),
            "segments": [segment] if "segment" in wanted else None,
            "words": _timed(text, length) if "word" in wanted else None,
            **self._usage(answer),
        }


class Translations(Transcriptions):
    """The same in English."""

    endpoint = "/v1/audio/translations"
    id_prefix = "trsl-"
    task = "translate"
    chunk_object = whole_object = "translation.chunk"


def _words(answer: Answer) -> Tokens:
    return Tokens(answer.job.words(0, 0, answer.job.tokens))


def _plain(answer: Answer) -> list[bytes]:
    """The tokens as text, no longer escaped for JSON."""
    return [orjson.loads(b'"%s"' % word).encode() for word in answer.job.words(0, 0, answer.job.tokens)]


def _timed(text: str, length: float) -> list[Document]:
    """Each word and when it is said, evenly spread."""
    words = text.split()
    step = length / max(1, len(words))
    times = [(word, round(at * step, 3), round((at + 1) * step, 3)) for at, word in enumerate(words)]
    return [{"word": word, "start": start, "end": end} for word, start, end in times]


def _cues(answer: Answer, point: bytes, number: bytes) -> list[bytes]:
    """One cue with everything; the times in the format that SRT and WebVTT share but for the decimal point."""
    end = _clock(answer.job.asked["seconds"], point)
    first = (number % 1 if number else b"") + b"%s --> %s\n" % (_clock(0.0, point), end)
    # A line break would end the cue early.
    spoken = [word.replace(b"\n", b" ") for word in _plain(answer)]
    return (
        [first + spoken[0], *spoken[1:-1], spoken[-1] + b"\n\n"]
        if len(spoken) > 1
        else [first + b"".join(spoken) + b"\n\n"]
    )


def _clock(seconds: float, point: bytes) -> bytes:
    whole = round(seconds * 1000)
    hours, rest = divmod(whole, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return b"%02d:%02d:%02d%s%03d" % (hours, minutes, rest // 1000, point, rest % 1000)
