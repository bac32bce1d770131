"""llama.cpp's server: OpenAI's routes with some names of its own. Usage comes at the end only, and beside it timings.

It takes what it does not know without a word, so we refuse that (its server's README).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from inference.gateway.engines.listings import RERANK, Detokenize, Listing, counted
from inference.gateway.engines.openai_wires import Embedding, Generation, fields, parsed
from inference.gateway.engines.parameters import CHAT, COMPLETIONS, Parameters
from inference.gateway.engines.wire import Call, Engine, Whole

if TYPE_CHECKING:
    from inference.gateway.orders import Order

_CHAT = Parameters.of(CHAT, repetition_penalty="repeat_penalty")
_COMPLETIONS = Parameters.of(COMPLETIONS - {"suffix", "echo", "best_of"}, repetition_penalty="repeat_penalty")
_TOKENIZE = Parameters.of_text(add_special_tokens="add_special")


class Tokenize(Listing):
    """The tokens of a text, which it calls its content. It adds special tokens only where it is told to."""

    def call(self, order: Order, upstream_name: str) -> Call:
        """Ask for the tokens."""
        asked = _TOKENIZE.put(order.wanted.fields)
        body = {"content": asked["prompt"], "add_special": asked.get("add_special", True)}
        return Call("/tokenize", orjson.dumps(body))

    def whole(self, order: Order, body: bytes, content_type: str) -> Whole:
        """Count them: it gives nothing but the list."""
        return counted(parsed(body, "tokens", int)["tokens"])


def _chat(order: Order, upstream_name: str) -> dict[str, Any]:
    body = _CHAT.put(fields(order, upstream_name))
    if "reasoning_effort" in body:
        # Only a model's template knows what effort is.
        body["chat_template_kwargs"] = {"reasoning_effort": body.pop("reasoning_effort")}
    return body


def _completions(order: Order, upstream_name: str) -> dict[str, Any]:
    return _COMPLETIONS.put(fields(order, upstream_name))


class LlamaCpp(Engine):
    """llama.cpp's server."""

    kind = "llamacpp"
    wires = {
        "chat.completions": Generation("/v1/chat/completions", _chat),
        "completions": Generation("/v1/completions", _completions),
        "embeddings": Embedding(),
        "rerank": RERANK,
        "tokenize": Tokenize("/tokenize", "tokens", ()),
        "detokenize": Detokenize("content"),
    }
    parameters = {"completions": _COMPLETIONS, "tokenize": _TOKENIZE}
