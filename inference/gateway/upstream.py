"""What is sent to the engines, and what their refusals mean."""

from __future__ import annotations

from typing import Any

import orjson

from foundation.errors import InvalidRequest, Overloaded, PlatformError
from inference.gateway.chat import ChatRequest
from inference.gateway.connections import Asking, Connections
from inference.gateway.errors import UpstreamError
from inference.gateway.routing import Target

CHAT = "/v1/chat/completions"
# Engines that can tell their usage with every chunk, so that a client who leaves pays for what was made.
CONTINUOUS_USAGE = frozenset({"vllm"})
_ENGINE_REFUSES = frozenset({400, 413, 422})
_ENGINE_BUSY = frozenset({429, 503})


class Upstream:
    """Every engine that this process talks to."""

    def __init__(self, ca_bundle: str = "") -> None:
        self._connections = Connections(ca_bundle)

    def post(self, target: Target, path: str, body: bytes, request_id: str) -> Asking:
        """Prepare a request to an engine."""
        pool = target.pool
        headers: tuple[tuple[str, str], ...] = (
            ("content-type", "application/json"),
            ("accept-encoding", "identity"),
            ("user-agent", "turnpike"),
            ("x-request-id", request_id),
        )
        if pool.credential:
            headers += (("authorization", f"Bearer {pool.credential}"),)
        return self._connections.post(target.replica.url, path, body, headers, pool.connect_seconds)

    def close(self) -> None:
        """Close all idle connections."""
        self._connections.close()


def chat_body(chat: ChatRequest, target: Target, max_tokens: int) -> bytes:
    """Write the engine's request: its own model name, our bound on the output, and usage always asked for."""
    fields: dict[str, Any] = {**chat.fields, "model": target.upstream_name, "max_tokens": max_tokens}
    fields.pop("max_completion_tokens", None)
    fields.pop("stream_options", None)
    if chat.stream:
        options = {"include_usage": True}
        if target.pool.engine in CONTINUOUS_USAGE:
            options["continuous_usage_stats"] = True
        fields["stream_options"] = options
    return orjson.dumps(fields)


def refusal(status: int) -> PlatformError:
    """Say what an engine's refusal means to the client. What the engine wrote stays inside."""
    if status in _ENGINE_REFUSES:
        return InvalidRequest(
            "The model's engine refused this request. Check its fields, and that input and max_tokens fit the context."
        )
    if status in _ENGINE_BUSY:
        return Overloaded("The model's engine is overloaded. Try again shortly.", retry_after=1)
    return UpstreamError()
