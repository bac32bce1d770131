"""What one request asks of the engine, read from its body and checked as vLLM checks it."""

from dataclasses import dataclass, replace
from typing import Any, Literal

import orjson

from inference.simulator import directives, prompts, words
from inference.simulator.directives import Directive, DirectiveError
from inference.simulator.options import Options
from inference.simulator.prompts import Prompt
from inference.simulator.refusals import Refused, too_long, unknown_model
from inference.simulator.wire import CHAT, Shape

FinishReason = Literal["stop", "length"]
_MOST_CHOICES = 128


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer of a request: where its text begins in the vocabulary, and what its prompt counts."""

    seed: int
    prompt_tokens: int


@dataclass(slots=True)
class Job:
    """A request that the engine accepts."""

    shape: Shape
    stream: bool
    choices: tuple[Choice, ...]
    prompts: tuple[Prompt, ...]
    prompt_tokens: int
    """Of all prompts together."""
    tokens: int
    """Content tokens of each choice."""
    finish_reason: FinishReason
    max_tokens: int
    n: int
    include_usage: bool
    continuous_usage: bool
    directive: Directive
    cache_salt: str = ""
    echo: bytes | None = None
    """Instead of words, this one token, escaped for the inside of a JSON string."""
    cached_tokens: int = 0
    """Set when the engine has looked into its prefix cache."""

    def words(self, choice: int, start: int, stop: int) -> list[bytes]:
        """A choice's tokens from `start` to `stop`, escaped for the inside of a JSON string."""
        if self.echo is not None:
            return [self.echo][start:stop]
        return words.tokens(self.choices[choice].seed, start, stop)


def read(shape: Shape, body: bytes, headers: dict[str, str], options: Options) -> Job:
    """The job in a request's body. Raises Refused."""
    asked = _parse(body)
    model = asked.get("model")
    if model is not None and model != options.model:
        raise unknown_model(model)
    found = _prompts(shape, asked)
    try:
        directive = directives.parse(found[-1].instruction)
    except DirectiveError as error:
        raise Refused(400, str(error)) from None
    job = _build(shape, asked, found, directive, options)
    if directive.echo_headers:
        job = replace(job, tokens=1, finish_reason="stop", echo=_echo(headers))
    return job


def _prompts(shape: Shape, asked: dict[str, Any]) -> tuple[Prompt, ...]:
    if shape is CHAT:
        return (prompts.of_messages(asked.get("messages")),)
    return tuple(prompts.of_completion(asked.get("prompt")))


def _parse(body: bytes) -> dict[str, Any]:
    try:
        asked = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Refused(400, f"JSON decode error: {error}", kind="Bad Request") from None
    if not isinstance(asked, dict):
        raise Refused(400, "Input should be a valid dictionary", kind="Bad Request")
    return asked


def _build(
    shape: Shape, asked: dict[str, Any], found: tuple[Prompt, ...], directive: Directive, options: Options
) -> Job:
    stream = _boolean(asked, "stream")
    include, continuous = _usage_wanted(asked, stream)
    n = _whole(asked, "n", default=1)
    if n > _MOST_CHOICES:
        raise Refused(400, f"n must be at most {_MOST_CHOICES}, got {n}.", param="n")
    seeds = [(words.seed_of(prompt.content, index), prompt.tokens) for prompt in found for index in range(n)]
    limit, capped = _limit(shape, asked, found, options)
    natural = limit if _boolean(asked, "ignore_eos") and capped else words.natural_length(seeds[0][0])
    wanted = natural if directive.tokens is None else directive.tokens
    return Job(
        shape=shape,
        stream=stream,
        choices=tuple(Choice(seed, tokens) for seed, tokens in seeds),
        prompts=found,
        prompt_tokens=sum(prompt.tokens for prompt in found),
        tokens=min(wanted, limit),
        finish_reason="length" if wanted > limit else "stop",
        max_tokens=limit,
        n=n,
        include_usage=include,
        continuous_usage=continuous,
        directive=directive,
        cache_salt=str(asked.get("cache_salt") or ""),
    )


def _limit(shape: Shape, asked: dict[str, Any], found: tuple[Prompt, ...], options: Options) -> tuple[int, bool]:
    """The most tokens a choice may have, and whether the client named it."""
    longest = max(prompt.tokens for prompt in found)
    name = "max_completion_tokens" if asked.get("max_completion_tokens") is not None else "max_tokens"
    capped = asked.get(name) is not None
    room = options.max_model_len - longest
    default = room if shape is CHAT else min(16, room)
    limit = _whole(asked, name, default=default) if capped else default
    if room < 1 or limit > room:
        raise too_long(limit=options.max_model_len, prompt_tokens=longest, max_tokens=limit if capped else 0)
    return limit, capped


def _usage_wanted(asked: dict[str, Any], stream: bool) -> tuple[bool, bool]:
    """Whether the client wants usage at the end, and in every chunk; the second only counts with the first."""
    wanted = asked.get("stream_options")
    if wanted is None:
        return False, False
    if not isinstance(wanted, dict):
        raise Refused(400, "stream_options: Input should be an object", param="stream_options")
    if not stream:
        raise Refused(400, "Stream options can only be defined when `stream=True`.", param="stream_options")
    # An object without the member means yes: vLLM's StreamOptions defaults include_usage to true.
    include = wanted.get("include_usage", True) is True
    return include, include and wanted.get("continuous_usage_stats") is True


def _boolean(asked: dict[str, Any], name: str) -> bool:
    value = asked.get(name)
    if value is not None and not isinstance(value, bool):
        raise Refused(400, f"{name}: Input should be a valid boolean", param=name)
    return bool(value)


def _whole(asked: dict[str, Any], name: str, *, default: int) -> int:
    value = asked.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refused(400, f"{name}: Input should be a valid integer", param=name)
    if value < 1:
        raise Refused(400, f"{name} must be at least 1, got {value}.", param=name)
    return value


def _echo(headers: dict[str, str]) -> bytes:
    return orjson.dumps(orjson.dumps(headers).decode())[1:-1]
