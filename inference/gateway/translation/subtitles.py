"""A verbose transcription as SubRip or WebVTT (W3C WebVTT §4; SubRip has no standard, only players)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any


def srt(segments: Iterable[dict[str, Any]]) -> str:
    """Number the cues, with a comma in their times. Raises what misshapen segments raise."""
    return "".join(f"{number}\n{_cue(segment, ',')}\n\n" for number, segment in enumerate(segments, 1))


def vtt(segments: Iterable[dict[str, Any]]) -> str:
    """Write cues below the header that the format begins with. Raises what misshapen segments raise."""
    return "WEBVTT\n\n" + "".join(f"{_cue(segment, '.')}\n\n" for segment in segments)


def _cue(segment: dict[str, Any], point: str) -> str:
    # A blank line would end the cue early, and an arrow would be read as a time.
    said = " ".join(segment["text"].split()).replace("-->", "->")
    return f"{_time(segment['start'], point)} --> {_time(segment['end'], point)}\n{said}"


def _time(seconds: Any, point: str) -> str:
    milliseconds = max(0, int((Decimal(str(seconds)) * 1000).to_integral_value()))
    hours, rest = divmod(milliseconds, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02}{point}{rest % 1000:03}"
