"""NVIDIA Triton before TensorRT-LLM: its generate extension, text in and text out.

The model's name is part of the path. Inputs are those of the backend's ensemble (TensorRT-LLM, `triton_backend`,
`all_models/inflight_batcher_llm`). Each event counts its own tokens; the end of a stream is the end of its connection's
message, for it has no end marker.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson

from inference.gateway.catalogue import Route
from inference.gateway.engines.bridge import CHAT
from inference.gateway.engines.parameters import COMMON, Parameters
from inference.gateway.engines.text_wires import TextWire, check_prompt
from inference.gateway.engines.wire import EVENT_STREAM, JSON, Call, Engine
from inference.gateway.translation.text_answers import usage

if TYPE_CHECKING:
    from inference.gateway.orders import Order

_PARAMETERS = Parameters.of(COMMON | {"top_k", "repetition_penalty"})
_SAME = ("repetition_penalty", "presence_penalty", "frequency_penalty")
_MOST_SEED = 2**64


class Generate:
    """The generate extension."""

    def call(self, order: Order, upstream_name: str, prompt: str, stops: list[str]) -> Call:
        """Ask, and for both counts with it."""
        asked, stream = _PARAMETERS.put(order.wanted.fields), order.wanted.stream
        body = {name: asked[name] for name in _SAME if name in asked} | _sampling(asked)
        if stops:
            body["stop_words"] = stops
        body |= {
            "text_input": prompt,
            "max_tokens": order.bound.max_tokens,
            "stream": stream,
            "exclude_input_in_output": True,
            "return_num_input_tokens": True,
            "return_num_output_tokens": True,
        }
        path = f"/v2/models/{quote(upstream_name, safe='')}/generate{'_stream' if stream else ''}"
        return Call(path, orjson.dumps(body), (EVENT_STREAM if stream else JSON,))

    def reader(self, order: Order) -> GenerateReader:
        """Begin to read an answer."""
        return GenerateReader(order.bound.max_tokens)

    def events(self, body: bytes) -> Iterable[dict[str, Any]]:
        """Return a whole answer, which is one event."""
        return (orjson.loads(body),)


class GenerateReader:
    """Sums the events' own counts."""

    def __init__(self, most: int) -> None:
        self.outputs = 0
        self.over = False
        self._most = most
        self._prompt: int | None = None
        self._made: int | None = None

    def take(self, event: dict[str, Any]) -> str:
        """Return an event's text."""
        text: str = event["text_output"]
        made = _count(event.get("num_output_tokens"))
        self.outputs += max(1, made or 1) if text else 0
        if made is not None:
            self._made = (self._made or 0) + made
        if (prompt := _count(event.get("num_input_tokens"))) is not None:
            self._prompt = prompt
        return text

    def end(self) -> bool:
        """The connection's message ended as it should, and something was in it."""
        self.over = self.outputs > 0 or self._made is not None
        return self.over

    def usage(self) -> dict[str, Any] | None:
        """Return the sums, where the engine counted."""
        return None if self._prompt is None or self._made is None else usage(self._prompt, self._made)

    @property
    def finish_reason(self) -> str:
        """It does not say why it ended; an answer that has all of its tokens was cut."""
        return "length" if max(self._made or 0, self.outputs) >= self._most else "stop"


class Triton(Engine):
    """Triton with the TensorRT-LLM backend. It serves chat where the deployment has a chat template."""

    kind = "triton"
    wires = {CHAT: TextWire(Generate()), "completions": TextWire(Generate())}
    parameters = {CHAT: _PARAMETERS, "completions": _PARAMETERS}
    needs_template = True
    health = "/v2/health/ready"

    def check(self, surface: str, asked: dict[str, Any], route: Route) -> None:
        """Refuse more than one prompt."""
        super().check(surface, asked, route)
        if surface == "completions":
            check_prompt(asked)


def _sampling(asked: dict[str, Any]) -> dict[str, Any]:
    """Say all that decides how it draws: without a word it takes the likeliest token, as it does for top_k 1."""
    if asked.get("temperature") == 0 or asked.get("top_p") == 0:
        drawn: dict[str, Any] = {"top_k": 1}
    else:
        drawn = {
            "temperature": asked.get("temperature", 1.0),
            "top_p": asked.get("top_p", 1.0),
            "top_k": max(0, asked.get("top_k", 0)),
        }
    return drawn | ({"seed": asked["seed"] % _MOST_SEED} if "seed" in asked else {})


def _count(value: Any) -> int | None:
    return value if type(value) is int and value >= 0 else None
