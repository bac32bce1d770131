"""SGLang's OpenAI routes. Its usage comes with every chunk, as vLLM's does.

So a client who leaves pays for what was made. It takes `suffix` and `best_of` and does nothing about them, so those are
refused. It takes apart texts, and only in some versions messages; what it puts together from tokens has no special ones
unless they are asked for (sgl-project/sglang, `python/sglang/srt/entrypoints/openai`: `protocol.py`,
`usage_processor.py`, `serving_tokenize.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from inference.gateway.engines.listings import Detokenize, Listing
from inference.gateway.engines.openai_wires import CONTINUOUS_USAGE, Embedding, Generation
from inference.gateway.engines.parameters import COMPLETIONS, Parameters
from inference.gateway.engines.wire import Call, Engine

if TYPE_CHECKING:
    from inference.gateway.orders import Order

_TOKENIZE = Parameters.of_text({"add_special_tokens"})


class Tokenize(Listing):
    """The tokens of a text."""

    def call(self, order: Order, upstream_name: str) -> Call:
        """Ask for the tokens."""
        asked = _TOKENIZE.put(order.wanted.fields)
        return Call("/tokenize", orjson.dumps(asked | {"model": upstream_name}))


class Sglang(Engine):
    """SGLang."""

    kind = "sglang"
    wires = {
        "chat.completions": Generation("/v1/chat/completions", stream_options=CONTINUOUS_USAGE),
        "completions": Generation("/v1/completions", stream_options=CONTINUOUS_USAGE),
        "embeddings": Embedding(),
        "tokenize": Tokenize("/tokenize", "tokens", ("count", "max_model_len"), each=int),
        "detokenize": Detokenize("text", skip_special_tokens=False),
    }
    parameters = {"completions": Parameters.of(COMPLETIONS - {"suffix", "best_of"}), "tokenize": _TOKENIZE}
