"""What the simulated model says: every token is one word, given by the prompt's seed and the token's position alone.

The text holds what trips a careless relay: letters of two to four bytes, quotes, a backslash, a line break.
"""

from collections.abc import Iterable
from zlib import crc32

import orjson

_TEXT = (
    "the road runs along the river until a wooden gate where the keeper counts each coin and writes it in a ledger "
    "nobody may cross before their toll is held and nobody pays twice for one passage naïve café Zürich 東京 мост 🙂 "
    'so "quoted" words, back\\slashes, line\nbreaks and <tags> travel too; every evening both sums must agree exactly.'
)
_WORDS = tuple(_TEXT.split(" "))
_SIZE = len(_WORDS)


def _escaped(words: Iterable[str]) -> tuple[bytes, ...]:
    return tuple(orjson.dumps(word)[1:-1] for word in words)


_FIRST = _escaped(_WORDS)
# Twice the text, so that a run of up to its length is one slice wherever it starts.
_CYCLE = _escaped(f" {word}" for word in _WORDS) * 2


def seed_of(prompt: bytes, choice: int = 0) -> int:
    """At which word the answer to `prompt` begins; the choices of one request differ."""
    return (crc32(prompt) + choice) % _SIZE


def tokens(seed: int, start: int, stop: int) -> list[bytes]:
    """The tokens from `start` to `stop` of an answer, escaped for the inside of a JSON string."""
    at, count = (seed + start) % _SIZE, stop - start
    cycle = _CYCLE if count <= _SIZE else _CYCLE * (count // _SIZE + 1)
    words = list(cycle[at : at + count])
    if start == 0 and words:
        words[0] = _FIRST[at]
    return words


def text(seed: int, count: int) -> str:
    """The whole answer of `count` tokens as a reader sees it."""
    decoded: str = orjson.loads(b'"%s"' % b"".join(tokens(seed, 0, count)))
    return decoded


def natural_length(seed: int) -> int:
    """How many tokens an answer has when neither a directive nor the client says so: 24 to 120."""
    return 24 + seed * 37 % 97
