"""vLLM's OpenAI-compatible server. Its usage comes with every chunk.

So a client who leaves pays for what was made, and for nothing else.
"""

from __future__ import annotations

from inference.gateway.engines.openai_wires import Embedding, Generation
from inference.gateway.engines.wire import Engine


class Vllm(Engine):
    """vLLM."""

    kind = "vllm"
    wires = {
        "chat.completions": Generation("/v1/chat/completions", continuous_usage=True),
        "completions": Generation("/v1/completions", continuous_usage=True),
        "embeddings": Embedding(),
    }
