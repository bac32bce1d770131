"""OpenAI's wire of pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from inference.gateway.engines.openai_wires import parsed
from inference.gateway.engines.wire import Call, Stream, Whole
from inference.gateway.errors import UpstreamError
from inference.gateway.transcripts import openai_usage

if TYPE_CHECKING:
    from inference.gateway.orders import Order

# Of an engine's answer, what may pass to the client.
_SHOWN = ("created", "background", "output_format", "quality", "size", "usage")
_PICTURE = ("b64_json", "url", "revised_prompt")


class Generations:
    """Pictures, all at once."""

    def call(self, order: Order, upstream_name: str) -> Call:
        """Ask for pictures."""
        return Call("/v1/images/generations", orjson.dumps({**order.wanted.fields, "model": upstream_name}))

    def stream(self, order: Order) -> Stream:
        """There is no such stream."""
        raise UpstreamError

    def whole(self, order: Order, body: bytes, content_type: str) -> Whole:
        """Keep the pictures, at most as many as were asked for, and count them."""
        answer = parsed(body, "data")
        pictures = [_picture(item) for item in answer["data"][: order.wanted.quantity]]
        if not pictures:
            raise UpstreamError from ValueError("the engine's answer has no picture")
        shown = {name: answer[name] for name in _SHOWN if name in answer} | {"data": pictures}
        return Whole(orjson.dumps(shown), openai_usage(answer.get("usage")), len(pictures), quantity=len(pictures))


def _picture(item: Any) -> dict[str, Any]:
    if not isinstance(item, dict) or not (item.get("b64_json") or item.get("url")):
        raise UpstreamError from ValueError("the engine's answer has a picture without content")
    return {name: item[name] for name in _PICTURE if name in item}
