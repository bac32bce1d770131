"""OpenAI's own API: `max_completion_tokens`, and none of the fields that only open engines have (its API reference)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from inference.gateway.engines.hearing import TRANSCRIPTIONS, TRANSLATIONS
from inference.gateway.engines.images import IMAGES
from inference.gateway.engines.listings import MODERATIONS
from inference.gateway.engines.openai_wires import Embedding, Generation, fields
from inference.gateway.engines.parameters import CHAT, COMPLETIONS, Parameters
from inference.gateway.engines.responses_wires import NativeResponses
from inference.gateway.engines.speech import SPEECH
from inference.gateway.engines.wire import Engine

if TYPE_CHECKING:
    from inference.gateway.orders import Order

_NOT_OPENAIS = frozenset({"top_k", "min_p", "repetition_penalty"})
_CHAT = Parameters.of(CHAT - _NOT_OPENAIS)
_COMPLETIONS = Parameters.of(COMPLETIONS - _NOT_OPENAIS)


def _chat(order: Order, upstream_name: str) -> dict[str, Any]:
    body = _CHAT.put(fields(order, upstream_name))
    # Its models that reason refuse the older name.
    body["max_completion_tokens"] = body.pop("max_tokens")
    return body


def _completions(order: Order, upstream_name: str) -> dict[str, Any]:
    return _COMPLETIONS.put(fields(order, upstream_name))


class OpenAi(Engine):
    """OpenAI. Usage comes at the end only."""

    kind = "openai"
    wires = {
        "chat.completions": Generation("/v1/chat/completions", _chat),
        "completions": Generation("/v1/completions", _completions),
        "embeddings": Embedding(),
        "responses": NativeResponses(),
        "moderations": MODERATIONS,
        "audio.transcriptions": TRANSCRIPTIONS,
        "audio.translations": TRANSLATIONS,
        "audio.speech": SPEECH,
        "images.generations": IMAGES,
    }
    parameters = {"chat.completions": _CHAT, "completions": _COMPLETIONS}
    health = "/v1/models"
    foreign = True
