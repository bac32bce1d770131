"""What one request asks of the engine, whatever its endpoint: prompts, choices, and what each choice says."""

from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from inference.simulator import directives, schemas, scripts, words
from inference.simulator.directives import Directive, DirectiveError
from inference.simulator.options import Options
from inference.simulator.prompts import Prompt
from inference.simulator.refusals import Refused, too_long
from inference.simulator.scripts import Part

FinishReason = Literal["stop", "length", "tool_calls"]
_MOST_CHOICES = 128


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer of a request: where its text begins in the vocabulary, and what its prompt counts."""

    seed: int
    prompt_tokens: int


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that the request offers."""

    name: str
    schema: Any


@dataclass(frozen=True, slots=True)
class Wish:
    """What a dialect has read from a request to generate text."""

    prompts: tuple[Prompt, ...]
    stream: bool = False
    n: int = 1
    limit: int | None = None
    """The most tokens the client wants for a choice; None: it does not say."""
    usual_limit: int | None = None
    """The most where the client does not say; None: what the context has room for."""
    include_usage: bool = False
    continuous_usage: bool = False
    ignore_eos: bool = False
    cache_salt: str = ""
    tools: tuple[Tool, ...] = ()
    called: tuple[Tool, ...] = ()
    """Those it forces the model to call."""
    schema: Any = None
    """What the text must satisfy as JSON."""
    text: str | None = None
    """What the text must be."""
    stops: tuple[str, ...] = ()
    """Texts that the answer ends before."""


@dataclass(slots=True)
class Job:
    """A request that the engine accepts."""

    directive: Directive
    prompts: tuple[Prompt, ...]
    prompt_tokens: int
    """Of all prompts together."""
    choices: tuple[Choice, ...]
    tokens: int
    """Of each choice; of an answer made of items its items."""
    parts: tuple[Part, ...] = ()
    """What each choice says."""
    stream: bool = False
    finish_reason: FinishReason = "stop"
    stopped_by: str | None = None
    """The text that it was to end before, and did."""
    max_tokens: int = 1
    n: int = 1
    include_usage: bool = False
    continuous_usage: bool = False
    cache_salt: str = ""
    generates: bool = True
    """False where the answer is made of items that are no tokens: they are not counted as completion."""
    asked: dict[str, Any] = field(default_factory=dict)
    """The request's body, or its form."""
    cached_tokens: int = 0
    """Set when the engine has looked into its prefix cache."""

    def words(self, choice: int, start: int, stop: int) -> list[bytes]:
        """A choice's tokens from `start` to `stop`, escaped for the inside of a JSON string."""
        seed = self.choices[choice].seed
        if len(self.parts) == 1:
            return self.parts[0].words(seed, start, stop)
        return [one.word for one in scripts.said(self.parts, seed, start, stop)]

    def part_words(self, choice: int, part: Part) -> list[bytes]:
        """All tokens of one of its parts."""
        return part.words(self.choices[choice].seed, 0, part.tokens)

    def text(self, choice: int = 0) -> str:
        """A choice's text as a reader sees it."""
        escaped = b"".join(b"".join(self.part_words(choice, part)) for part in self.parts if part.kind == "text")
        decoded: str = orjson.loads(b'"%s"' % escaped)
        return decoded

    @property
    def reasoning_tokens(self) -> int:
        """Of all choices together."""
        return sum(part.tokens for part in self.parts if part.kind == "reasoning") * len(self.choices)


def generating(wish: Wish, asked: dict[str, Any], headers: dict[str, str], options: Options) -> Job:
    """The job of a request that generates text. Raises Refused."""
    directive = directive_in(wish.prompts[-1].instruction)
    if wish.n > _MOST_CHOICES:
        raise Refused(400, f"n must be at most {_MOST_CHOICES}, got {wish.n}.", param="n")
    asking = [(prompt, index) for prompt in wish.prompts for index in range(wish.n)]
    choices = tuple(Choice(words.seed_of(prompt.content, index), prompt.tokens) for prompt, index in asking)
    limit = _limit(wish, options)
    script = _script(wish, directive, headers, choices[0].seed, limit)
    parts = scripts.cut(script, limit)
    wanted = sum(part.tokens for part in script)
    # All choices are as long as the first, so what stops one only, of several, stops none.
    shared = len(choices) == 1 or all(part.fixed is not None for part in parts)
    parts, stopped_by = scripts.stopped(parts, choices[0].seed, wish.stops if shared else ())
    if stopped_by is not None:
        wanted = sum(part.tokens for part in parts)
    calls = any(part.kind == "call" for part in parts)
    return Job(
        directive=directive,
        prompts=wish.prompts,
        prompt_tokens=sum(prompt.tokens for prompt in wish.prompts),
        choices=choices,
        tokens=min(wanted, limit),
        parts=parts,
        stream=wish.stream,
        finish_reason="length" if wanted > limit else "tool_calls" if calls else "stop",
        stopped_by=stopped_by,
        max_tokens=limit,
        n=wish.n,
        include_usage=wish.include_usage,
        continuous_usage=wish.continuous_usage,
        cache_salt=wish.cache_salt,
        asked=asked,
    )


def making(prompts: tuple[Prompt, ...], items: int, asked: dict[str, Any], options: Options, text: str) -> Job:
    """The job of a request answered with so many items (vectors, scores, pictures); `text` may hold a directive.

    Raises Refused.
    """
    longest = max((prompt.tokens for prompt in prompts), default=0)
    if longest > options.max_model_len:
        raise too_long(limit=options.max_model_len, prompt_tokens=longest)
    tokens = sum(prompt.tokens for prompt in prompts)
    return Job(
        directive=directive_in(text),
        prompts=prompts,
        prompt_tokens=tokens,
        choices=(Choice(0, tokens),),
        tokens=items,
        generates=False,
        asked=asked,
    )


def directive_in(text: str) -> Directive:
    """The directive in a text. Raises Refused."""
    try:
        return directives.parse(text)
    except DirectiveError as error:
        raise Refused(400, str(error)) from None


def _limit(wish: Wish, options: Options) -> int:
    """The most tokens a choice may have: what the prompt leaves no room for is cut off without a word, as in vLLM."""
    longest = max(prompt.tokens for prompt in wish.prompts)
    room = options.max_model_len - longest
    usual = room if wish.usual_limit is None else min(wish.usual_limit, room)
    limit = usual if wish.limit is None else wish.limit
    if limit > options.max_model_len:
        message = f"max_tokens={limit} cannot be greater than max_model_len={options.max_model_len}."
        raise Refused(400, f"{message} Please request fewer output tokens.", param="max_tokens")
    if room < 1:
        raise too_long(limit=options.max_model_len, prompt_tokens=longest)
    return min(limit, room)


def _script(wish: Wish, directive: Directive, headers: dict[str, str], seed: int, limit: int) -> list[Part]:
    """Everything a choice would say if nothing limited it."""
    if directive.echo_headers:
        return [scripts.fixed("text", [orjson.dumps(headers).decode()])]
    thought = [Part("reasoning", directive.reasoning)] if directive.reasoning else []
    called = wish.called if directive.tools is None else wish.tools[: directive.tools]
    if called:
        spoken = [Part("text", directive.tokens)] if directive.tokens else []
        return [*thought, *spoken, *map(_call, called)]
    if wish.text is not None and not directive.refusal:
        return [*thought, scripts.fixed("text", scripts.pieces(wish.text))]
    if wish.schema is not None and not directive.refusal:
        return [*thought, scripts.fixed("text", scripts.pieces(orjson.dumps(schemas.sample(wish.schema)).decode()))]
    endless = wish.ignore_eos and wish.limit is not None
    natural = limit + 1 if endless else words.natural_length(seed)
    tokens = natural if directive.tokens is None else directive.tokens
    return [*thought, Part("refusal" if directive.refusal else "text", tokens)]


def _call(tool: Tool) -> Part:
    return scripts.fixed("call", scripts.pieces(orjson.dumps(schemas.sample(tool.schema) or {}).decode()), tool.name)
