"""All kinds of engines, by the name that a pool has for its own."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from foundation.errors import InvalidRequest
from inference.gateway.catalogue import Route
from inference.gateway.engines.anthropic import Anthropic
from inference.gateway.engines.bridge import CHAT, Bridged, bridged
from inference.gateway.engines.compatible import Compatible
from inference.gateway.engines.llamacpp import LlamaCpp
from inference.gateway.engines.mistral import Mistral
from inference.gateway.engines.openai import OpenAi
from inference.gateway.engines.sglang import Sglang
from inference.gateway.engines.tgi import Tgi
from inference.gateway.engines.triton import Triton
from inference.gateway.engines.trtllm import TrtLlm
from inference.gateway.engines.vllm import Vllm
from inference.gateway.engines.wire import Engine


def _with_bridges(engine: Engine) -> Engine:
    """Let an engine be asked everything that its chat can be asked."""
    engine.wires = bridged(engine.wires)
    return engine


ENGINES: Mapping[str, Engine] = MappingProxyType(
    {
        engine.kind: _with_bridges(engine)
        for engine in (
            *(Vllm(), Sglang(), Tgi(), TrtLlm(), Triton(), LlamaCpp(), Compatible()),
            *(OpenAi(), Anthropic(), Mistral()),
        )
    }
)


def able(routes: tuple[Route, ...], surface: str, asked: dict[str, Any]) -> tuple[Route, ...]:
    """Return the routes to engines that can be asked this; mostly those are all there are.

    Raises `InvalidRequest`, which names the field, if engines serve the endpoint but none of them understands it.
    """
    found, refusal = [], None
    for route in routes:
        engine = ENGINES[route.pool.engine]
        if not serves(engine.kind, surface) or not has_words(engine, surface, route.template):
            continue
        try:
            _check(engine, surface, asked, route)
        except InvalidRequest as error:
            refusal = refusal or error
        else:
            found.append(route)
    if refusal is not None and not found:
        raise refusal
    return tuple(found)


def serves(kind: str, surface: str) -> bool:
    """Say whether engines of a kind can be asked this at all."""
    return surface in ENGINES[kind].wires


def has_words(engine: Engine, surface: str, template: str) -> bool:
    """Whether messages can be put to it: one that knows none needs a template for them."""
    chats = surface == CHAT or isinstance(engine.wires[surface], Bridged)
    return bool(template) or not chats or not engine.needs_template


def _check(engine: Engine, surface: str, asked: dict[str, Any], route: Route) -> None:
    wire = engine.wires[surface]
    if isinstance(wire, Bridged):
        # Most engines understand all that chat has; only for the others is it translated a second time.
        if engine.parameters:
            engine.check(CHAT, wire.fields(asked), route)
    else:
        engine.check(surface, asked, route)
