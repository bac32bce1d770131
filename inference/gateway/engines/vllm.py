"""vLLM's OpenAI-compatible server. Its usage comes with every chunk.

So a client who leaves pays for what was made, and for nothing else. It takes `best_of` and does nothing about it, so
that is refused.
"""

from __future__ import annotations

from inference.gateway.engines.anthropic_wires import NativeCount, NativeMessages
from inference.gateway.engines.hearing import TRANSCRIPTIONS, TRANSLATIONS
from inference.gateway.engines.images import IMAGES
from inference.gateway.engines.listings import DETOKENIZE, RERANK, SCORE, TOKENIZE
from inference.gateway.engines.openai_wires import CONTINUOUS_USAGE, Embedding, Generation
from inference.gateway.engines.parameters import COMPLETIONS, Parameters
from inference.gateway.engines.responses_wires import NativeResponses
from inference.gateway.engines.speech import SPEECH
from inference.gateway.engines.wire import Engine


class Vllm(Engine):
    """vLLM."""

    kind = "vllm"
    wires = {
        "chat.completions": Generation("/v1/chat/completions", stream_options=CONTINUOUS_USAGE),
        "completions": Generation("/v1/completions", stream_options=CONTINUOUS_USAGE),
        "embeddings": Embedding(),
        "messages": NativeMessages(),
        "responses": NativeResponses(),
        "rerank": RERANK,
        "score": SCORE,
        "tokenize": TOKENIZE,
        "detokenize": DETOKENIZE,
        "audio.transcriptions": TRANSCRIPTIONS,
        "audio.translations": TRANSLATIONS,
        "audio.speech": SPEECH,
        "images.generations": IMAGES,
        "messages.count_tokens": NativeCount(),
    }
    parameters = {"completions": Parameters.of(COMPLETIONS - {"best_of"})}
