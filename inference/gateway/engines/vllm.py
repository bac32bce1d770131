"""vLLM's OpenAI-compatible server. Its usage comes with every chunk.

So a client who leaves pays for what was made, and for nothing else.
"""

from __future__ import annotations

from inference.gateway.engines.anthropic_wires import NativeCount, NativeMessages
from inference.gateway.engines.audio import Speech, Transcription
from inference.gateway.engines.images import Generations
from inference.gateway.engines.openai_wires import Embedding, Generation
from inference.gateway.engines.responses_wires import NativeResponses
from inference.gateway.engines.wire import Engine

_WITH_USAGE = (("stream_include_usage", "true"),)


class Vllm(Engine):
    """vLLM."""

    kind = "vllm"
    wires = {
        "chat.completions": Generation("/v1/chat/completions", continuous_usage=True),
        "completions": Generation("/v1/completions", continuous_usage=True),
        "embeddings": Embedding(),
        "messages": NativeMessages(),
        "responses": NativeResponses(),
        "messages.count_tokens": NativeCount(),
        "audio.transcriptions": Transcription("/v1/audio/transcriptions", _WITH_USAGE),
        "audio.translations": Transcription("/v1/audio/translations", _WITH_USAGE),
        "audio.speech": Speech(),
        "images.generations": Generations(),
    }
