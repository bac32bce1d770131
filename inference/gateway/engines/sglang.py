"""SGLang's OpenAI routes. Its usage comes with every chunk, as vLLM's does.

So a client who leaves pays for what was made. It takes `suffix` and `best_of` and does nothing about them, so those are
refused (`sglang/srt/entrypoints/openai`).
"""

from __future__ import annotations

from inference.gateway.engines.openai_wires import CONTINUOUS_USAGE, Embedding, Generation
from inference.gateway.engines.parameters import COMPLETIONS, Parameters
from inference.gateway.engines.wire import Engine


class Sglang(Engine):
    """SGLang."""

    kind = "sglang"
    wires = {
        "chat.completions": Generation("/v1/chat/completions", stream_options=CONTINUOUS_USAGE),
        "completions": Generation("/v1/completions", stream_options=CONTINUOUS_USAGE),
        "embeddings": Embedding(),
    }
    parameters = {"completions": Parameters.of(COMPLETIONS - {"suffix", "best_of"})}
