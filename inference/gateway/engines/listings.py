"""Wires of endpoints that read something and answer with a list about it: ranks, scores, verdicts, tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from inference.gateway.engines.openai_wires import parsed
from inference.gateway.engines.wire import MISSHAPEN, Call, Stream, Whole
from inference.gateway.errors import UpstreamError

if TYPE_CHECKING:
    from inference.gateway.orders import Order


class Listing:
    """One such endpoint: `needed` is the list in its answer and `each` what is in it, `shown` what else may be seen."""

    def __init__(self, path: str, needed: str, shown: tuple[str, ...], *, each: type = dict) -> None:
        self._path = path
        self._needed = needed
        self._shown = shown
        self._each = each

    def call(self, order: Order, upstream_name: str) -> Call:
        """Ask for the list."""
        return Call(self._path, orjson.dumps({**order.wanted.fields, "model": upstream_name}))

    def stream(self, order: Order) -> Stream:
        """There is no such stream."""
        raise UpstreamError

    def whole(self, order: Order, body: bytes, content_type: str) -> Whole:
        """Keep what is known of the answer, under the public name of the model where it names one."""
        answer = parsed(body, self._needed, self._each)
        kept = {name: answer[name] for name in (self._needed, *self._shown) if answer.get(name) is not None}
        if "model" in self._shown:
            kept["model"] = order.model.id
        return Whole(orjson.dumps(kept), _usage(answer.get("usage")), 0)


class Ranking(Listing):
    """Ranks, with the documents beside them unless the client wants none: some engines always send them."""

    def whole(self, order: Order, body: bytes, content_type: str) -> Whole:
        """Leave out what was not wanted."""
        whole = super().whole(order, body, content_type)
        if order.wanted.fields.get("return_documents") is not False:
            return whole
        answer = parsed(whole.body, self._needed)
        for result in answer[self._needed]:
            if isinstance(result, dict):
                result.pop("document", None)
        return whole._replace(body=orjson.dumps(answer))


class Detokenize:
    """The text of tokens; `member` is where it stands in the engine's answer, `also` what it must be told besides."""

    def __init__(self, member: str, **also: bool) -> None:
        self._member = member
        self._also = also

    def call(self, order: Order, upstream_name: str) -> Call:
        """Ask for the text."""
        return Call("/detokenize", orjson.dumps({**order.wanted.fields, **self._also, "model": upstream_name}))

    def stream(self, order: Order) -> Stream:
        """There is no such stream."""
        raise UpstreamError

    def whole(self, order: Order, body: bytes, content_type: str) -> Whole:
        """Keep the text."""
        try:
            text = orjson.loads(body)[self._member]
        except MISSHAPEN as cause:
            raise UpstreamError from cause
        if not isinstance(text, str):
            raise UpstreamError from ValueError("the engine's answer has no text")
        return Whole(orjson.dumps({"prompt": text}), None, 0)


RERANK = Ranking("/v1/rerank", "results", ("id", "model", "usage"))
SCORE = Listing("/v1/score", "data", ("id", "object", "created", "model", "usage"))
MODERATIONS = Listing("/v1/moderations", "results", ("id", "model"))
TOKENIZE = Listing("/tokenize", "tokens", ("count", "max_model_len", "token_strs"), each=int)
DETOKENIZE = Detokenize("prompt")


def counted(tokens: list[int]) -> Whole:
    """Write the tokens of an engine that gives nothing but them."""
    return Whole(orjson.dumps({"count": len(tokens), "tokens": tokens}), None, 0)


def _usage(told: Any) -> Any:
    """Rankers name only the total, all of which is input."""
    if isinstance(told, dict) and "prompt_tokens" not in told:
        return {"prompt_tokens": told.get("total_tokens"), "completion_tokens": 0}
    return told
