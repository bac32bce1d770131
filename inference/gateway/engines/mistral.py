"""Mistral's API: near to OpenAI's, with names of its own, and it refuses every field that it does not know.

Usage comes with the last choice, asked for or not (its API reference).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from inference.gateway.engines.late_usage import LateUsage
from inference.gateway.engines.openai_wires import Embedding, Generation, fields
from inference.gateway.engines.parameters import COMMON, Parameters
from inference.gateway.engines.wire import Engine

if TYPE_CHECKING:
    from inference.gateway.orders import Order

_SHAPES = frozenset({"n", "tools", "tool_choice", "parallel_tool_calls", "response_format"})
_CHAT = Parameters.of(COMMON - {"seed"} | _SHAPES, seed="random_seed")
_ROLES = {"developer": "system"}


def _chat(order: Order, upstream_name: str) -> dict[str, Any]:
    body = _CHAT.put(fields(order, upstream_name))
    body["messages"] = [{**said, "role": _ROLES.get(said["role"], said["role"])} for said in body["messages"]]
    if "random_seed" in body:
        body["random_seed"] = abs(body["random_seed"])
    return body


class Mistral(Engine):
    """Mistral."""

    kind = "mistral"
    wires = {
        "chat.completions": Generation("/v1/chat/completions", _chat, stream_options={}, stream=LateUsage),
        "embeddings": Embedding(dimensions="output_dimension"),
    }
    parameters = {"chat.completions": _CHAT}
    health = "/v1/models"
    foreign = True
