"""Which endpoint a path leads to. Whatever is listed here is admitted, held for, relayed and settled in one way."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from inference.gateway.surfaces.chat import Chat
from inference.gateway.surfaces.completions import Completions
from inference.gateway.surfaces.embeddings import Embeddings
from inference.gateway.surfaces.surface import Surface

SURFACES: tuple[Surface, ...] = (Chat(), Completions(), Embeddings())
ROUTES: Mapping[str, Surface] = MappingProxyType({surface.path: surface for surface in SURFACES})
