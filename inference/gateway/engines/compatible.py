"""Any URL that speaks OpenAI's dialect: fields go there as they are, and what it does not know it refuses itself."""

from __future__ import annotations

from inference.gateway.engines.hearing import TRANSCRIPTIONS, TRANSLATIONS
from inference.gateway.engines.images import IMAGES
from inference.gateway.engines.late_usage import LateUsage
from inference.gateway.engines.listings import MODERATIONS, RERANK
from inference.gateway.engines.openai_wires import Embedding, Generation
from inference.gateway.engines.speech import SPEECH
from inference.gateway.engines.wire import Engine


class Compatible(Engine):
    """An OpenAI-compatible URL. It is asked for usage at the end, and may tell it with the last choice."""

    kind = "compatible"
    wires = {
        "chat.completions": Generation("/v1/chat/completions", stream=LateUsage),
        "completions": Generation("/v1/completions", stream=LateUsage),
        "embeddings": Embedding(),
        "rerank": RERANK,
        "moderations": MODERATIONS,
        "audio.transcriptions": TRANSCRIPTIONS,
        "audio.translations": TRANSLATIONS,
        "audio.speech": SPEECH,
        "images.generations": IMAGES,
    }
    health = "/v1/models"
    foreign = True
