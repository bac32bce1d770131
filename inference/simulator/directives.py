"""What a test can ask of the simulator: `[[sim key=value flag …]]` in the text of the last user message.

The directive stands in the prompt so that it passes any gateway untouched. Of several the first counts. An unknown key
or a bad value is answered with 400, never ignored. Delays given here are exact: `--speed` does not touch them.
`k` counts content tokens of the whole response, all choices together. A fault whose `k` lies beyond the answer's end
never happens; of several faults the one with the smallest `k` does.

| key                | streamed                                                          | plain                       |
|--------------------|-------------------------------------------------------------------|-----------------------------|
| `tokens=N`         | N content tokens per choice, each its own event; a smaller        | the same text               |
|                    | `max_tokens` wins, and `finish_reason` is then "length"           |                             |
| `ttft=MS`          | first token so long after the request began to run; 0: at once    | part of the delay           |
| `gap=MS`           | before every further token and before the finish chunk; 0: as     | answer after                |
|                    | fast as the reader reads, several events in one write             | ttft + tokens × gap         |
| `usage=final`      | a usage chunk at the end, asked for or not; none before it        | usage as counted            |
| `usage=continuous` | usage in every chunk and at the end, asked for or not             | usage as counted            |
| `usage=none`       | no usage, asked for or not                                        | no `usage` member           |
| `usage=zero`       | zeros: at the end always, in every chunk if the client asked      | zeros                       |
| `usage=huge`       | `HUGE` prompt and completion tokens, wherever `zero` has zeros    | the same                    |
| `die_after=k`      | FIN after k tokens: no end marker, the chunked body unfinished    | headers, body cut after its |
|                    |                                                                   | k-th token, FIN             |
| `rst_after=k`      | the same with RST                                                 | the same with RST           |
| `hang_after=k`     | silence after k tokens, the connection stays open                 | no answer at all            |
| `err_event=k`      | after k tokens an event with vLLM's error body (code 500), then   | that body with status 500   |
|                    | `[DONE]`; with 0 it is the first event                            | after ttft + k × gap        |
| `status=N`         | N (300 to 599) with vLLM's error body in place of a stream, after | the same                    |
|                    | `ttft` or at once; takes no place in the engine                   |                             |
| `no_done`          | no `[DONE]`                                                       | ignored                     |
| `dup_done`         | `[DONE]` twice                                                    | ignored                     |
| `split=BYTES`      | every event in pieces of BYTES, each its own HTTP chunk and write | body in writes of BYTES     |
| `crlf`             | lines end in CRLF                                                 | ignored                     |
| `comments`         | a comment, `: keep-alive`, before every event                     | ignored                     |
| `bad_gzip`         | `content-encoding: gzip` over bytes that no gzip reader accepts   | the same                    |
| `set_cookie`       | a `set-cookie` header                                             | the same                    |
| `echo_headers`     | the text is one token: a JSON object of the request headers that  | the same                    |
|                    | came here, names in lower case; `tokens` is ignored               |                             |
| `reasoning=N`      | N tokens of reasoning before the text; they count as content      | the same                    |
| `tools=K`          | calls the first K of the request's tools with arguments that      | the same                    |
|                    | satisfy their schemas; text before only where `tokens` names it   |                             |
| `refusal`          | the text is a refusal, where the wire has such a thing            | the same                    |

What is made of items and not of tokens (embeddings, scores, pictures, slices of sound) counts an item as a token.

`die_after`, `rst_after` and `hang_after` take -1 as well: then the response has not even headers. With 0 a stream has
its headers and its role chunk, and no token.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache
from typing import Any, Literal, NamedTuple, get_args

UsageKind = Literal["final", "continuous", "none", "zero", "huge"]
FaultKind = Literal["die", "reset", "hang", "error"]

HUGE = 10_000_000_000
"""More than 32 bits hold, and far more than any hold of money covers."""


class DirectiveError(ValueError):
    """A directive that names an unknown key or a bad value; its text is for the test's author."""


class Fault(NamedTuple):
    """What goes wrong, after how many content tokens."""

    kind: FaultKind
    after: int


@dataclass(frozen=True)
class Directive:
    """One parsed directive; None and False mean that it does not speak of the thing. Times are milliseconds."""

    tokens: int | None = None
    ttft: float | None = None
    gap: float | None = None
    usage: UsageKind | None = None
    die_after: int | None = None
    rst_after: int | None = None
    hang_after: int | None = None
    status: int | None = None
    err_event: int | None = None
    no_done: bool = False
    dup_done: bool = False
    split: int | None = None
    crlf: bool = False
    comments: bool = False
    bad_gzip: bool = False
    set_cookie: bool = False
    echo_headers: bool = False
    reasoning: int = 0
    tools: int | None = None
    refusal: bool = False

    @cached_property
    def fault(self) -> Fault | None:
        """The first fault that this directive asks for."""
        named: tuple[tuple[FaultKind, int | None], ...] = (
            ("die", self.die_after),
            ("reset", self.rst_after),
            ("hang", self.hang_after),
            ("error", self.err_event),
        )
        faults = [Fault(kind, after) for kind, after in named if after is not None]
        return min(faults, key=lambda fault: fault.after, default=None)


NOTHING = Directive()
_PATTERN = re.compile(r"\[\[sim\b([^\[\]]*)(\]\])?")


def parse(text: str) -> Directive:
    """The directive in a user's message; `NOTHING` where there is none. Raises DirectiveError."""
    if "[[sim" not in text:
        return NOTHING
    found = _PATTERN.search(text)
    if found is None:
        return NOTHING
    if found[2] is None:
        raise DirectiveError("a simulator directive is not closed with ]]")
    return _parse_body(found[1])


@lru_cache(maxsize=1024)
def _parse_body(body: str) -> Directive:
    values: dict[str, Any] = {}
    for word in body.split():
        key, equals, value = word.partition("=")
        if key not in _READERS:
            raise DirectiveError(f"unknown simulator directive {key!r}")
        values[key] = _READERS[key](key, value if equals else None)
    return Directive(**values)


def _flag(key: str, value: str | None) -> bool:
    if value is not None:
        raise DirectiveError(f"simulator directive {key!r} takes no value")
    return True


def _integer(at_least: int, at_most: int | None = None) -> Callable[[str, str | None], int]:
    def read(key: str, value: str | None) -> int:
        try:
            number = int(value or "")
        except ValueError:
            raise DirectiveError(f"simulator directive {key!r} needs a whole number") from None
        if number < at_least or (at_most is not None and number > at_most):
            raise DirectiveError(f"simulator directive {key!r} is out of range: {number}")
        return number

    return read


def _milliseconds(key: str, value: str | None) -> float:
    try:
        number = float(value or "")
    except ValueError:
        raise DirectiveError(f"simulator directive {key!r} needs milliseconds") from None
    if not 0 <= number <= 3_600_000:
        raise DirectiveError(f"simulator directive {key!r} is out of range: {value}")
    return number


def _usage(key: str, value: str | None) -> str:
    if value is None or value not in get_args(UsageKind):
        raise DirectiveError(f"simulator directive {key!r} is one of {', '.join(get_args(UsageKind))}")
    return value


_READERS: dict[str, Callable[[str, str | None], object]] = {
    **{field.name: _flag for field in fields(Directive) if field.default is False},
    "tokens": _integer(0),
    "ttft": _milliseconds,
    "gap": _milliseconds,
    "usage": _usage,
    "die_after": _integer(-1),
    "rst_after": _integer(-1),
    "hang_after": _integer(-1),
    "err_event": _integer(0),
    "status": _integer(300, 599),
    "split": _integer(1),
    "reasoning": _integer(0),
    "tools": _integer(0, 128),
}
