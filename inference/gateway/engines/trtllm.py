"""TensorRT-LLM's own server, `trtllm-serve`: OpenAI's routes with vLLM's usage.

It refuses fields that it does not know (`tensorrt_llm/serve/openai_protocol.py`). Two things differ: `top_k` begins at
0, and tools are not used unless the request says `auto`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from inference.gateway.engines.openai_wires import CONTINUOUS_USAGE, Embedding, Generation, fields
from inference.gateway.engines.parameters import COMPLETIONS, Parameters
from inference.gateway.engines.wire import Engine

if TYPE_CHECKING:
    from inference.gateway.orders import Order


def _body(order: Order, upstream_name: str) -> dict[str, Any]:
    body = fields(order, upstream_name)
    if "top_k" in body:
        body["top_k"] = max(0, body["top_k"])
    if body.get("tools"):
        body.setdefault("tool_choice", "auto")
    return body


class TrtLlm(Engine):
    """trtllm-serve."""

    kind = "trtllm"
    wires = {
        "chat.completions": Generation("/v1/chat/completions", _body, stream_options=CONTINUOUS_USAGE),
        "completions": Generation("/v1/completions", _body, stream_options=CONTINUOUS_USAGE),
        "embeddings": Embedding(),
    }
    parameters = {"completions": Parameters.of(COMPLETIONS - {"suffix"})}
