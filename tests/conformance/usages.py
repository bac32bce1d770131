"""What an answer says that was used, in the words of whichever API it is of."""

from typing import Any, NamedTuple

from tests.conformance.wire import Answer


class Usage(NamedTuple):
    """Tokens. Those of the prompt that came from the prefix cache are among the prompt's."""

    prompt: int
    cached: int
    completion: int


def told(answer: Answer) -> Usage | None:
    """Return the last usage that an answer tells, which is that of all of it; None if it tells none."""
    documents = answer.chunks if answer.streamed else [answer.json]
    found = [usage for document in documents if (usage := _within(document))]
    return _read(found[-1]) if found else None


def _within(document: dict[str, Any]) -> dict[str, Any] | None:
    inner = document.get("response") or document.get("message") or {}
    usage = document.get("usage") or inner.get("usage")
    return usage if isinstance(usage, dict) else None


def _read(usage: dict[str, Any]) -> Usage:
    if "cache_read_input_tokens" in usage:
        read, written = usage["cache_read_input_tokens"] or 0, usage["cache_creation_input_tokens"] or 0
        return Usage(usage["input_tokens"] + read + written, read, usage["output_tokens"])
    if "input_tokens" in usage:
        details = usage.get("input_tokens_details") or {}
        return Usage(usage["input_tokens"], details.get("cached_tokens") or 0, usage["output_tokens"])
    details = usage.get("prompt_tokens_details") or {}
    return Usage(usage["prompt_tokens"], details.get("cached_tokens") or 0, usage.get("completion_tokens") or 0)
