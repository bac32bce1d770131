"""Which endpoint a path leads to. Whatever is listed here is admitted, held for, relayed and settled in one way."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from foundation.web import Scope
from inference.gateway.surfaces.chat import Chat
from inference.gateway.surfaces.completions import Completions
from inference.gateway.surfaces.embeddings import Embeddings
from inference.gateway.surfaces.hearing import Transcriptions, Translations
from inference.gateway.surfaces.images import Images
from inference.gateway.surfaces.messages import CountTokens, Messages
from inference.gateway.surfaces.moderations import Moderations
from inference.gateway.surfaces.rankings import Rerank, Score
from inference.gateway.surfaces.responses import Responses
from inference.gateway.surfaces.speech import Speech
from inference.gateway.surfaces.surface import Surface
from inference.gateway.surfaces.tokenizing import Detokenize, Tokenize

_MESSAGES = Messages()
SURFACES: tuple[Surface, ...] = (
    Chat(),
    Completions(),
    Embeddings(),
    _MESSAGES,
    CountTokens(),
    Responses(),
    Rerank(),
    Score(),
    Moderations(),
    Tokenize(),
    Detokenize(),
    Transcriptions(),
    Translations(),
    Speech(),
    Images(),
)
ROUTES: Mapping[str, Surface] = MappingProxyType({surface.path: surface for surface in SURFACES})


def speaks_anthropic(scope: Scope) -> bool:
    """Say whether a client is one of Anthropic's API: its SDKs always name the version."""
    return any(name == b"anthropic-version" for name, _ in scope["headers"])


def spoken(scope: Scope) -> Surface | None:
    """Return the endpoint in whose words a request is answered, also where there is none at its path."""
    found = ROUTES.get(scope["path"])
    return _MESSAGES if found is None and speaks_anthropic(scope) else found
