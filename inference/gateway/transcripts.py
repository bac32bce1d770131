"""What engines say that a transcription used: seconds or tokens, in the words of whoever wrote the engine."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal, InvalidOperation
from typing import Any

# Longer than any recording; beyond it a length is taken for garbage.
MOST_SECONDS = 2**40


def seconds(answer: dict[str, Any]) -> int | None:
    """Return whole seconds, rounded up; None where the engine does not tell. Zero is a value."""
    usage = answer.get("usage")
    told = usage.get("seconds") if isinstance(usage, dict) and usage.get("type") == "duration" else None
    return _whole(answer.get("duration") if told is None else told)


def openai_usage(usage: Any) -> Any:
    """Write a usage in the words of chat; None for one that counts no tokens."""
    if not isinstance(usage, dict) or "prompt_tokens" in usage:
        return usage
    if "input_tokens" not in usage:
        return None
    return {"prompt_tokens": usage["input_tokens"], "completion_tokens": usage.get("output_tokens", 0)}


def shown_usage(usage: Any) -> dict[str, Any] | None:
    """Write a usage as a client of OpenAI's transcriptions knows it; None for what is none."""
    if isinstance(usage, dict) and usage.get("type") == "duration":
        return {"type": "duration", "seconds": usage.get("seconds")}
    told = openai_usage(usage)
    return tokens(told.get("prompt_tokens"), told.get("completion_tokens")) if isinstance(told, dict) else None


def tokens(read: Any, written: Any) -> dict[str, Any]:
    """Write a usage of tokens as OpenAI's endpoints of sound and pictures do. Raises `TypeError` for no numbers."""
    return {"type": "tokens", "input_tokens": read, "output_tokens": written, "total_tokens": read + written}


def _whole(told: Any) -> int | None:
    if type(told) not in (int, float, str):
        return None
    try:
        length = Decimal(str(told))
    except InvalidOperation:
        return None
    return int(length.to_integral_value(ROUND_CEILING)) if length.is_finite() and 0 <= length <= MOST_SECONDS else None
