"""What may be completed or embedded: a text, texts, tokens, or lists of tokens (OpenAI's API reference)."""

from __future__ import annotations

from typing import Any

from foundation.errors import InvalidRequest


def prompts(value: Any, name: str, *, most: int) -> int:
    """Check them and return how many there are. Raises `InvalidRequest`."""
    if isinstance(value, str) or are_tokens(value):
        return 1
    if not isinstance(value, list) or not value:
        raise InvalidRequest(f"{name} must be a string, a list of strings, or tokens.", param=name)
    if len(value) > most:
        raise InvalidRequest(f"{name} has more than {most} entries.", param=name)
    if not (all(isinstance(item, str) for item in value) or all(are_tokens(item) for item in value)):
        raise InvalidRequest(f"{name} must be a string, a list of strings, or tokens.", param=name)
    return len(value)


def are_tokens(value: Any) -> bool:
    """Say whether this is a list of token ids."""
    return isinstance(value, list) and bool(value) and all(type(item) is int and item >= 0 for item in value)
