"""Mistral's API: near to OpenAI's, with names of its own, and it refuses every field that it does not know.

Usage comes with the last choice, asked for or not. Models that reason say so in content that is a list of parts, and
want to be told of it in the same way (its API reference and its pages on reasoning and prompt caching,
docs.mistral.ai). Of what was read from its cache it has told under more than one name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from inference.gateway.engines.late_usage import LateUsage
from inference.gateway.engines.mending import Mending, said
from inference.gateway.engines.openai_wires import Embedding, Generation, fields
from inference.gateway.engines.parameters import COMMON, Parameters
from inference.gateway.engines.wire import Engine

if TYPE_CHECKING:
    from inference.gateway.orders import Order

type Item = dict[str, Any]

_SHAPES = frozenset({"n", "tools", "tool_choice", "parallel_tool_calls", "response_format", "reasoning_effort"})
_CHAT = Parameters.of(COMMON - {"seed"} | _SHAPES, seed="random_seed")
_ROLES = {"developer": "system"}
# What answers of chat have, and clients send back with the next request: nothing is lost without them.
_EMPTY: tuple[Any, ...] = (None, [], "")
_MARKS = (b'"content":[', b'"content": [', b'"model_length"', b'"num_cached_tokens"', b'"prompt_token_details"')


def _chat(order: Order, upstream_name: str) -> Item:
    body = _CHAT.put(fields(order, upstream_name))
    body["messages"] = [_message(message) for message in body["messages"]]
    if "random_seed" in body:
        body["random_seed"] = abs(body["random_seed"])
    return body


def _message(message: Item) -> Item:
    told = {name: item for name, item in message.items() if name == "content" or item not in _EMPTY}
    told["role"] = _ROLES.get(message["role"], message["role"])
    thought = told.pop("reasoning_content", None) or told.pop("reasoning", None)
    if isinstance(thought, str) and told["role"] == "assistant":
        content = told.get("content") or []
        text = [_text(content)] if isinstance(content, str) else content
        told["content"] = [{"type": "thinking", "thinking": [_text(thought)]}, *text]
    return told


def _text(text: str) -> Item:
    return {"type": "text", "text": text}


def _mend(answer: Item) -> None:
    for choice, spoken in said(answer):
        if choice.get("finish_reason") == "model_length":
            choice["finish_reason"] = "length"
        if isinstance(parts := spoken.get("content"), list):
            spoken["content"] = _joined(parts, "text")
            if thought := "".join(_joined(part["thinking"], "text") for part in parts if part["type"] == "thinking"):
                spoken["reasoning_content"] = thought
    if isinstance(usage := answer.get("usage"), dict):
        _name_cached(usage)


def _joined(parts: list[Item], kind: str) -> str:
    return "".join(part["text"] for part in parts if part["type"] == kind)


def _name_cached(usage: Item) -> None:
    """Name what came from the cache as OpenAI does."""
    other = usage.pop("prompt_token_details", None)
    cached = usage.pop("num_cached_tokens", None)
    if cached is None and isinstance(other, dict):
        cached = other.get("cached_tokens")
    if cached is not None and not usage.get("prompt_tokens_details"):
        usage["prompt_tokens_details"] = {"cached_tokens": cached}


class Mistral(Engine):
    """Mistral."""

    kind = "mistral"
    wires = {
        "chat.completions": Generation(
            "/v1/chat/completions", _chat, stream_options={}, stream=LateUsage, mending=Mending(_MARKS, _mend)
        ),
        "embeddings": Embedding(dimensions="output_dimension"),
    }
    parameters = {"chat.completions": _CHAT}
    health = "/v1/models"
    foreign = True
