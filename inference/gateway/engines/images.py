"""The wire of pictures (OpenAI's API reference, vLLM-Omni's)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from inference.gateway.engines.openai_wires import parsed
from inference.gateway.engines.wire import Call, Stream, Whole
from inference.gateway.errors import UpstreamError

if TYPE_CHECKING:
    from inference.gateway.orders import Order

_SHOWN = ("created", "background", "output_format", "quality", "size", "usage")
_OF_EACH = ("b64_json", "url", "revised_prompt")


class Drawing:
    """Pictures, whole."""

    def call(self, order: Order, upstream_name: str) -> Call:
        """Ask for them."""
        return Call("/v1/images/generations", orjson.dumps({**order.wanted.fields, "model": upstream_name}))

    def stream(self, order: Order) -> Stream:
        """There is no such stream."""
        raise UpstreamError

    def whole(self, order: Order, body: bytes, content_type: str) -> Whole:
        """Keep the pictures that were asked for: those that came are charged."""
        answer = parsed(body, "data")
        pictures = [_picture(item) for item in answer["data"][: order.wanted.quantity]]
        shown = {name: answer[name] for name in _SHOWN if answer.get(name) is not None}
        usage = {"prompt_tokens": 0, "completion_tokens": 0, "images": len(pictures)}
        return Whole(orjson.dumps(shown | {"data": pictures}), usage, 0)


def _picture(item: Any) -> dict[str, Any]:
    picture = {name: item[name] for name in _OF_EACH if item.get(name) is not None} if isinstance(item, dict) else {}
    if not picture.keys() & {"b64_json", "url"}:
        raise UpstreamError from ValueError("the engine's answer has no picture")
    return picture


IMAGES = Drawing()
