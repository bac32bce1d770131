"""Rules for the fields of a body: what each may be, in a form that an error can tell (architecture §4.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from foundation.errors import InvalidRequest
from keys import subjects

type Check = Callable[[Any], bool]
type Rules = dict[str, tuple[Check, str]]
"""For each field that is known: what it may be, and that in words."""


LARGEST = 2**31


def integer(least: int, most: int = LARGEST) -> Check:
    """A whole number; true and false are none."""
    return lambda value: type(value) is int and least <= value <= most


def whole(least: int, most: int = LARGEST) -> tuple[Check, str]:
    """A whole number, with words that tell both ends."""
    return integer(least, most), f"a whole number from {least} to {most}"


def number(least: float, most: float) -> Check:
    """Any number."""
    return lambda value: type(value) in (int, float) and least <= value <= most


def text(longest: int) -> Check:
    """Text that Postgres can store: it has no NUL."""
    return lambda value: isinstance(value, str) and len(value) <= longest and "\0" not in value


def one_of(*values: str) -> Check:
    """One of some words."""
    return lambda value: isinstance(value, str) and value in values


def objects(most: int) -> Check:
    """A list of objects."""
    return lambda value: (
        isinstance(value, list) and len(value) <= most and all(isinstance(item, dict) for item in value)
    )


def texts(most: int) -> Check:
    """A list of strings, none of which is missing."""
    return lambda value: (
        isinstance(value, list) and 0 < len(value) <= most and all(isinstance(item, str) for item in value)
    )


def customer(value: Any) -> bool:
    """The name of an end customer, or nothing."""
    return isinstance(value, str) and (not value or subjects.is_name(value))


def boolean(value: Any) -> bool:
    """True or false."""
    return isinstance(value, bool)


def mapping(value: Any) -> bool:
    """An object."""
    return isinstance(value, dict)


def anything(value: Any) -> bool:
    """Whatever it is: it is looked at elsewhere."""
    return True


def require(value: Mapping[str, Any], rules: Rules, *needed: str) -> None:
    """Check every field. Raises `InvalidRequest` for one that is unknown, wrong or missing. Null is absent."""
    for name, item in value.items():
        rule = rules.get(name)
        if rule is None:
            raise InvalidRequest(f"Unknown field: {name[:64]}.", param=name[:64])
        if item is not None and not rule[0](item):
            raise InvalidRequest(f"{name} must be {rule[1]}.", param=name)
    for name in needed:
        if value.get(name) in (None, ""):
            raise InvalidRequest(f"{name} is missing.", param=name)


# OpenAI's SDKs may send these; they mean something to us or to nobody, and no engine sees them.
KEPT: Rules = {
    "user": (customer, "a string of at most 128 printable characters"),
    "metadata": (mapping, "an object"),
    "store": (boolean, "true or false"),
    "service_tier": (text(32), "a string"),
    "safety_identifier": (text(128), "a string of at most 128 characters"),
    "prompt_cache_key": (text(128), "a string of at most 128 characters"),
}

# What OpenAI's two endpoints of generated text share.
MOST_CHOICES = 8
MOST_LOGPROBS = 20


def _stop(value: Any) -> bool:
    items = value if isinstance(value, list) else [value]
    return len(items) <= 16 and all(isinstance(item, str) for item in items)


def _bias(value: Any) -> bool:
    # OpenAI's own limit on the number of tokens is about this.
    return isinstance(value, dict) and len(value) <= 1024 and all(number(-100, 100)(bias) for bias in value.values())


SAMPLING: Rules = {
    "model": (text(256), "a string"),
    "stream": (boolean, "true or false"),
    "stream_options": (mapping, "an object"),
    "max_tokens": whole(1),
    "n": whole(1, MOST_CHOICES),
    "temperature": (number(0, 2), "a number from 0 to 2"),
    "top_p": (number(0, 1), "a number from 0 to 1"),
    "top_k": whole(-1),
    "min_p": (number(0, 1), "a number from 0 to 1"),
    "presence_penalty": (number(-2, 2), "a number from -2 to 2"),
    "frequency_penalty": (number(-2, 2), "a number from -2 to 2"),
    "repetition_penalty": (number(0, 10), "a number from 0 to 10"),
    "stop": (_stop, "a string or at most 16 strings"),
    "seed": whole(-(2**63), 2**63 - 1),
    "logit_bias": (_bias, "an object of numbers from -100 to 100"),
}
_STREAM_OPTIONS = frozenset({"include_usage", "continuous_usage_stats", "include_obfuscation"})


def stream_options(value: Mapping[str, Any]) -> dict[str, bool]:
    """Return the options of a stream. Raises `InvalidRequest` for unknown ones, and without a stream."""
    options: dict[str, Any] = value.get("stream_options") or {}
    if options and not value.get("stream"):
        raise InvalidRequest("stream_options is only allowed with stream.", param="stream_options")
    for name, item in options.items():
        if name not in _STREAM_OPTIONS or not isinstance(item, bool):
            raise InvalidRequest(f"stream_options.{name[:64]} is not valid.", param="stream_options")
    return options
