"""Any server that speaks OpenAI's dialect, and llama.cpp's, which does."""

from __future__ import annotations

from inference.gateway.engines.audio import Speech, Transcription
from inference.gateway.engines.images import Generations
from inference.gateway.engines.openai_wires import Embedding, Generation
from inference.gateway.engines.wire import Engine

_OF_TEXT = {
    "chat.completions": Generation("/v1/chat/completions"),
    "completions": Generation("/v1/completions"),
    "embeddings": Embedding(),
}


class Compatible(Engine):
    """An OpenAI-compatible URL."""

    kind = "openai"
    wires = _OF_TEXT | {
        "audio.transcriptions": Transcription("/v1/audio/transcriptions"),
        "audio.translations": Transcription("/v1/audio/translations"),
        "audio.speech": Speech(),
        "images.generations": Generations(),
    }


class LlamaCpp(Engine):
    """llama.cpp's server."""

    kind = "llamacpp"
    wires = _OF_TEXT
