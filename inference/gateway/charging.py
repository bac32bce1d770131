"""Who pays for what: the table of architecture §4.1 as a pure function of how a request ended."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NamedTuple

# More tokens than any engine can produce in one request; beyond it a usage is taken for garbage.
MOST_TOKENS = 2**40


class Ending(StrEnum):
    """How the delivery of an answer ended."""

    COMPLETE = "complete"
    CLIENT_LEFT = "client_left"
    UPSTREAM_ERROR = "upstream_error"
    TIMEOUT = "timeout"
    DRAINED = "drained"
    OUT_OF_CREDIT = "out_of_credit"


PAYING = frozenset({Ending.COMPLETE, Ending.CLIENT_LEFT, Ending.OUT_OF_CREDIT})
"""Whose output is paid for; nobody pays for what broke."""


class Source(StrEnum):
    """Where the number of tokens comes from."""

    FINAL = "final"
    CONTINUOUS = "continuous"
    LOCAL = "local"
    NONE = "none"


NO_OUTPUT = "no_output"


class Tokens(NamedTuple):
    """What an engine says it used; `cached` are those of `prompt` that came from its prefix cache."""

    prompt: int
    cached: int
    completion: int


class Consumption(NamedTuple):
    """What goes into the record: how it ended, what was used, and whether it is charged."""

    outcome: str
    source: Source
    tokens: Tokens
    billable: bool


def consumption(
    ending: Ending, usage: Any, *, final: bool, outputs: int, likely_prompt: int, generates: bool = True
) -> Consumption:
    """Decide what a request consumed and whether it pays.

    `usage` is the engine's last word (OpenAI's object) or None, `final` whether it was meant as the last one,
    `outputs` how many pieces of output went by, `likely_prompt` our own estimate for an engine that says nothing.
    What `generates` no tokens (a vector, a verdict, a picture, speech) is charged for what it was made of.
    """
    if not generates:
        return _undivided(ending, usage, outputs, likely_prompt)
    tokens = _tokens(usage)
    source = Source.FINAL if final and ending is Ending.COMPLETE else Source.CONTINUOUS
    if tokens is None:
        tokens = counted(outputs, likely_prompt)
        source = Source.LOCAL if outputs else Source.NONE
    delivered = outputs > 0 or (ending is Ending.COMPLETE and tokens.completion > 0)
    if ending in PAYING and delivered:
        return Consumption(ending, source, tokens, billable=True)
    # Nobody pays for nothing either; the tokens are recorded all the same.
    return Consumption(NO_OUTPUT if ending in PAYING else ending, source, tokens, billable=False)


def counted(outputs: int, likely_prompt: int) -> Tokens:
    """Return what an answer of so many pieces is taken to have used, where its engine says nothing."""
    return Tokens(likely_prompt if outputs else 0, 0, outputs)


def quantity(unit: str, usage: Any, likely: int) -> int:
    """Return how much of an endpoint's unit was used: what the engine's usage says of it, else what is likely."""
    told = _count(usage.get(unit)) if unit and isinstance(usage, dict) else None
    return likely if told is None else told


def _undivided(ending: Ending, usage: Any, outputs: int, likely_prompt: int) -> Consumption:
    """Its input is read as a whole before the first piece of it comes, so whoever got any of it pays for all."""
    delivered = ending is Ending.COMPLETE or (ending in PAYING and outputs > 0)
    tokens, source = _tokens(usage), Source.FINAL
    if tokens is None:
        tokens, source = (Tokens(likely_prompt, 0, 0), Source.LOCAL) if delivered else (Tokens(0, 0, 0), Source.NONE)
    outcome = NO_OUTPUT if ending in PAYING and not delivered else ending
    return Consumption(outcome, source, tokens, billable=delivered)


def _tokens(usage: Any) -> Tokens | None:
    """Read OpenAI's usage object; anything that is not one is None. Zero is a value."""
    if not isinstance(usage, dict):
        return None
    prompt, completion = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens", 0))
    if prompt is None or completion is None:
        return None
    details = usage.get("prompt_tokens_details")
    cached = _count(details.get("cached_tokens")) if isinstance(details, dict) else None
    return Tokens(prompt, min(cached or 0, prompt), completion)


def _count(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value <= MOST_TOKENS else None
