"""The client to the engines: what is sent to them, and what their refusals mean.

pyreqwest (hyper). Its read-ahead is off: with it, an engine would go on for a client that has left.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.request import StreamRequest

from foundation.errors import InvalidRequest, Overloaded, PlatformError
from inference.gateway.chat import ChatRequest
from inference.gateway.errors import UpstreamError
from inference.gateway.routing import Target

CHAT = "/v1/chat/completions"
# Engines that can tell their usage with every chunk, so that a client who leaves pays for what was made.
CONTINUOUS_USAGE = frozenset({"vllm"})
_ENGINE_REFUSES = frozenset({400, 413, 422})
_ENGINE_BUSY = frozenset({429, 503})


class Upstream:
    """Connections to engines, one pool of them for each connect time limit."""

    def __init__(self) -> None:
        self._clients: dict[float, Client] = {}

    def post(self, target: Target, path: str, body: bytes, request_id: str) -> StreamRequest:
        """Prepare a request; enter it to send it, leave it to abort it."""
        pool = target.pool
        builder = (
            self._client(pool.connect_seconds)
            .post(target.replica.url + path)
            .header("content-type", "application/json")
            .header("x-request-id", request_id)
            .body_bytes(body)
            .streamed_read_buffer_limit(0)
        )
        if pool.credential:
            builder = builder.bearer_auth(pool.credential)
        return builder.build_streamed()

    async def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            await client.close()

    def _client(self, connect_seconds: float) -> Client:
        client = self._clients.get(connect_seconds)
        if client is None:
            client = self._clients[connect_seconds] = _build(connect_seconds)
        return client


def _build(connect_seconds: float) -> Client:
    return (
        ClientBuilder()
        .connect_timeout(timedelta(seconds=connect_seconds))
        .http1_only()
        .http1_lower_case_headers()
        .follow_redirects(False)
        .referer(False)
        .no_proxy()
        .gzip(False)
        .brotli(False)
        .zstd(False)
        .deflate(False)
        .pool_max_idle_per_host(512)
        .pool_idle_timeout(timedelta(seconds=30))
        .user_agent("turnpike")
        .build()
    )


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
