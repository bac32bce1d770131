"""POST /v1/rerank and POST /v1/score: how well texts fit a text (Cohere's and Jina's rerank, vLLM's score)."""

from __future__ import annotations

from typing import Any

from foundation.errors import InvalidRequest
from inference.gateway.surfaces.checks import Rules, anything, boolean, customer, require, text, whole
from inference.gateway.surfaces.surface import JsonSurface
from inference.gateway.wanted import Wanted

MOST_DOCUMENTS = 2048
# What a model puts around a pair of texts, in tokens.
AROUND_A_PAIR = 8

_COMMON: Rules = {"model": (text(256), "a string"), "truncate_prompt_tokens": whole(-1)}
_RERANK: Rules = _COMMON | {
    "query": (text(10_000_000), "a string"),
    "documents": (anything, ""),
    "top_n": whole(0),
    "return_documents": (boolean, "true or false"),
}
_SCORE: Rules = _COMMON | {"text_1": (anything, ""), "text_2": (anything, "")}
_KEPT: Rules = {"user": (customer, "a string of at most 128 printable characters")}


class Rerank(JsonSurface):
    """Documents in the order in which they fit a query."""

    name = "rerank"
    path = "/v1/rerank"
    makes = "scores"
    generates = False

    def read(self, value: dict[str, Any], size: int, digest: bytes = b"") -> Wanted:
        """Check the fields. The query is read once for each document."""
        require(value, _RERANK | _KEPT, "model", "query", "documents")
        value["documents"] = documents = _texts(value["documents"], "documents")
        return _wanted(value, _RERANK, size, digest, pairs=len(documents), repeated=[value["query"]])


class Score(JsonSurface):
    """How well each of some texts fits another."""

    name = "score"
    path = "/v1/score"
    makes = "scores"
    generates = False

    def read(self, value: dict[str, Any], size: int, digest: bytes = b"") -> Wanted:
        """Check the fields: one with one, one with many, or many with as many."""
        require(value, _SCORE | _KEPT, "model", "text_1", "text_2")
        value["text_1"] = first = _texts(value["text_1"], "text_1")
        value["text_2"] = second = _texts(value["text_2"], "text_2")
        if len(first) not in (1, len(second)):
            raise InvalidRequest("text_1 must be one text, or as many as text_2.", param="text_1")
        repeated = first if len(first) == 1 else []
        return _wanted(value, _SCORE, size, digest, pairs=len(second), repeated=repeated)


def _wanted(
    value: dict[str, Any], rules: Rules, size: int, digest: bytes, *, pairs: int, repeated: list[str]
) -> Wanted:
    """Bound what is read by the body's bytes, and those of what is read again for every pair."""
    again = (pairs - 1) * sum(len(one.encode()) for one in repeated)
    return Wanted(
        model=value["model"],
        inputs=pairs,
        customer=value.get("user") or "",
        size=size + again + pairs * AROUND_A_PAIR,
        digest=digest,
        fields={name: item for name, item in value.items() if name in rules and item is not None},
    )


def _texts(value: Any, name: str) -> list[str]:
    """Return the texts as engines know them: clients send one alone, a list, or objects with a text each."""
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list) or not items:
        raise InvalidRequest(f"{name} must be a string or a list of at least one.", param=name)
    if len(items) > MOST_DOCUMENTS:
        raise InvalidRequest(f"{name} has more than {MOST_DOCUMENTS} entries.", param=name)
    found = [item.get("text") if isinstance(item, dict) and item.keys() == {"text"} else item for item in items]
    texts = [one for one in found if isinstance(one, str)]
    if len(texts) < len(found):
        raise InvalidRequest(f"{name} must be texts.", param=name)
    return texts
