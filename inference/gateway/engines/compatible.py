"""Any server that speaks OpenAI's dialect, and llama.cpp's, which does."""

from __future__ import annotations

from inference.gateway.engines.openai_wires import Embedding, Generation
from inference.gateway.engines.wire import Engine


class Compatible(Engine):
    """An OpenAI-compatible URL."""

    kind = "openai"
    wires = {
        "chat.completions": Generation("/v1/chat/completions"),
        "completions": Generation("/v1/completions"),
        "embeddings": Embedding(),
    }


class LlamaCpp(Compatible):
    """llama.cpp's server."""

    kind = "llamacpp"
