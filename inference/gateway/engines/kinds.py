"""All kinds of engines, by the name that a pool has for its own."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from inference.gateway.engines.compatible import Compatible, LlamaCpp
from inference.gateway.engines.vllm import Vllm
from inference.gateway.engines.wire import Engine

ENGINES: Mapping[str, Engine] = MappingProxyType({engine.kind: engine for engine in (Vllm(), LlamaCpp(), Compatible())})


def serves(kind: str, surface: str) -> bool:
    """Say whether engines of a kind can be asked this."""
    return surface in ENGINES[kind].wires
