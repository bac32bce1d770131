"""What one choice says, part after part: reasoning, text or a refusal, calls of tools."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import orjson

from inference.simulator import words

Kind = Literal["reasoning", "text", "refusal", "call"]
_PIECE = 4
"""Characters in one token of a text that is no vocabulary's."""


@dataclass(frozen=True, slots=True)
class Part:
    """A run of tokens of one kind."""

    kind: Kind
    tokens: int
    fixed: tuple[str, ...] | None = None
    """These tokens; None: words of the vocabulary."""
    name: str = ""
    """Of the tool that a call names."""
    whole: bool = True
    """False where the limit of tokens cut it."""

    def words(self, seed: int, start: int, stop: int) -> list[bytes]:
        """Its tokens from `start` to `stop`, escaped for the inside of a JSON string."""
        if self.fixed is not None:
            return [escaped(token) for token in self.fixed[start : min(stop, self.tokens)]]
        # Reasoning and text of one answer begin at different words.
        return words.tokens(seed if self.kind != "reasoning" else seed + 7, start, stop)

    def raw(self) -> list[bytes]:
        """Its fixed tokens as they are, to stand in a document as JSON of their own."""
        return [token.encode() for token in (self.fixed or ())[: self.tokens]]


class Said(NamedTuple):
    """One token in its place."""

    number: int
    """Which part it belongs to."""
    part: Part
    at: int
    """Its position in the part."""
    word: bytes


def escaped(text: str) -> bytes:
    """`text` for the inside of a JSON string."""
    return orjson.dumps(text)[1:-1]


def fixed(kind: Kind, tokens: Sequence[str], name: str = "") -> Part:
    """A part that says exactly this."""
    return Part(kind, len(tokens), tuple(tokens), name)


def pieces(text: str) -> list[str]:
    """`text` in tokens of up to four characters."""
    return [text[start : start + _PIECE] for start in range(0, len(text), _PIECE)]


def cut(parts: Iterable[Part], limit: int) -> tuple[Part, ...]:
    """The parts that fit into `limit` tokens, the last of them shortened."""
    kept: list[Part] = []
    left = limit
    for part in parts:
        if part.tokens > left:
            return (*kept, replace(part, tokens=left, whole=False)) if left else tuple(kept)
        kept.append(part)
        left -= part.tokens
    return tuple(kept)


def stopped(parts: tuple[Part, ...], seed: int, stops: Sequence[str]) -> tuple[tuple[Part, ...], str | None]:
    """The parts up to the first of the texts that end an answer, and which it was; None if there is none.

    As in vLLM the tokens of that text are made, and counted, but not said.
    """
    for index, part in enumerate(parts):
        if part.kind != "text" or not stops:
            continue
        tokens: list[str] = orjson.loads(b'["%s"]' % b'","'.join(part.words(seed, 0, part.tokens)))
        text = "".join(tokens)
        found = sorted((at, stop) for stop in stops if (at := text.find(stop)) >= 0)
        if found:
            return (*parts[:index], _ending(tokens, *found[0])), found[0][1]
    return parts, None


def _ending(tokens: Sequence[str], at: int, stop: str) -> Part:
    """The part whose text ends at a character, and whose tokens end with the one that completes what stops it."""
    said: list[str] = []
    start = 0
    for token in tokens:
        said.append(token[: max(0, at - start)])
        start += len(token)
        if start >= at + len(stop):
            break
    return fixed("text", said)


def said(parts: Sequence[Part], seed: int, start: int, stop: int) -> Iterator[Said]:
    """The tokens from `start` to `stop` of a choice, each with its part."""
    offset = 0
    for index, part in enumerate(parts):
        first, last = max(0, start - offset), min(part.tokens, stop - offset)
        if first < last:
            for at, word in enumerate(part.words(seed, first, last), first):
                yield Said(index, part, at, word)
        offset += part.tokens
