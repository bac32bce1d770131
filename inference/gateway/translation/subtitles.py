"""A transcription's segments as subtitles: SubRip, and WebVTT (W3C)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any


def srt(segments: Iterable[dict[str, Any]]) -> bytes:
    """Write numbered cues."""
    cues = (
        f"{index}\n{_clock(cue['start'], ',')} --> {_clock(cue['end'], ',')}\n{_line(cue['text'])}\n\n"
        for index, cue in enumerate(segments, 1)
    )
    return "".join(cues).encode()


def vtt(segments: Iterable[dict[str, Any]]) -> bytes:
    """Write cues below the format's name."""
    cues = (f"{_clock(cue['start'], '.')} --> {_clock(cue['end'], '.')}\n{_line(cue['text'])}\n\n" for cue in segments)
    return ("WEBVTT\n\n" + "".join(cues)).encode()


def _clock(seconds: Any, point: str) -> str:
    whole = int(Decimal(str(seconds)) * 1000)
    hours, rest = divmod(whole, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02}{point}{rest % 1000:03}"


def _line(text: str) -> str:
    # A blank line would end the cue early, and an arrow begin another.
    return " ".join(text.split()).replace("-->", "->")
