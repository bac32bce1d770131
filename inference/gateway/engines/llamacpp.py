"""llama.cpp's server: OpenAI's routes with some names of its own. Usage comes at the end only, and beside it timings.

It takes what it does not know without a word, so we refuse that (its server's README).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from inference.gateway.engines.openai_wires import Embedding, Generation, fields
from inference.gateway.engines.parameters import CHAT, COMPLETIONS, Parameters
from inference.gateway.engines.wire import Engine

if TYPE_CHECKING:
    from inference.gateway.orders import Order

_CHAT = Parameters.of(CHAT, repetition_penalty="repeat_penalty")
_COMPLETIONS = Parameters.of(COMPLETIONS - {"suffix", "echo", "best_of"}, repetition_penalty="repeat_penalty")


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
    }
    parameters = {"completions": _COMPLETIONS}
