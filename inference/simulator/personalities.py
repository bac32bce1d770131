"""The engines that the simulator can be: which paths each serves, in which words, and behind which key."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from inference.simulator import guards, pages, wire
from inference.simulator.chat import Chat
from inference.simulator.completions import Completions
from inference.simulator.dialects import Dialect, Error
from inference.simulator.embeddings import Embeddings
from inference.simulator.guards import Guard
from inference.simulator.items import Moderations, Rerank, Score
from inference.simulator.messages import CountTokens, Messages
from inference.simulator.pages import Pages
from inference.simulator.pictures import Images
from inference.simulator.responses import Responses
from inference.simulator.speech import Speech
from inference.simulator.tokenizing import Detokenize, Tokenize
from inference.simulator.transcriptions import Transcriptions, Translations


@dataclass(frozen=True)
class Personality:
    """One engine as a client sees it."""

    dialects: dict[str, Dialect]
    """By path."""
    pages: Pages
    error: Error = wire.error
    """Of what is refused before an endpoint has read it: no key, no JSON, members of the wrong type."""
    lost: Error = wire.error
    """Of a path or a method that is not there."""
    guard: Guard = guards.bearer_below_v1
    place: Callable[[str], str] = str
    """A path as the tables above have it."""


def _served(dialects: Iterable[Dialect]) -> dict[str, Dialect]:
    return {path: dialect for dialect in dialects for path in (dialect.endpoint, *dialect.aliases)}


def _kept_response(path: str) -> str:
    return pages.KEPT_RESPONSE if path.startswith("/v1/responses/") else path


_TEXTS = (Chat(), Completions(), Embeddings())
_ITEMS = (Rerank(), Score(), Moderations())
_SOUNDS = (Transcriptions(), Translations(), Speech())

PERSONALITIES: dict[str, Personality] = {
    "vllm": Personality(
        _served(
            (*_TEXTS, Messages(), CountTokens(), Responses(), *_ITEMS, Tokenize(), Detokenize(), *_SOUNDS, Images())
        ),
        pages.VLLM,
        lost=wire.detail,
        place=_kept_response,
    ),
}
