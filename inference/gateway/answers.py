"""What leaves: the heads of answers, errors in OpenAI's shape, and the end of a stream that broke."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from foundation.errors import PlatformError, answer_headers, as_openai
from foundation.web import Header, Send, send_json
from inference.gateway.admission import Ticket
from inference.gateway.exchange import Exchange
from inference.gateway.idempotency import Outcome

_STREAM_HEAD: tuple[Header, ...] = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-content-type-options", b"nosniff"),
    # nginx and its kind would otherwise collect the stream.
    (b"x-accel-buffering", b"no"),
)


def duration(milliseconds: int) -> bytes:
    """Write a time as OpenAI's rate limit headers do: `120ms`, `1.5s`, `6m0s`."""
    if milliseconds < 1000:
        return b"%dms" % max(0, milliseconds)
    minutes, rest = divmod(milliseconds, 60_000)
    seconds, fraction = divmod(rest, 1000)
    text = b"%d.%03d" % (seconds, fraction)
    text = text.rstrip(b"0").rstrip(b".")
    return b"%dm%ss" % (minutes, text) if minutes else text + b"s"


def limit_headers(ticket: Ticket) -> list[Header]:
    """Write the tightest limits, where there are any."""
    room = ticket.headroom
    headers: list[Header] = []
    for name, limit, left, reset_ms in (
        (b"requests", room.requests, room.requests_left, room.requests_reset_ms),
        (b"tokens", room.tokens, room.tokens_left, room.tokens_reset_ms),
    ):
        if limit >= 0:
            headers += (
                (b"x-ratelimit-limit-" + name, b"%d" % limit),
                (b"x-ratelimit-remaining-" + name, b"%d" % max(0, left)),
                (b"x-ratelimit-reset-" + name, duration(reset_ms)),
            )
    if ticket.degraded:
        headers.append((b"x-ratelimit-mode", b"degraded"))
    return headers


def common_headers(exchange: Exchange) -> list[Header]:
    """Write what every answer of a model carries."""
    return [
        (b"x-request-id", exchange.public_id.encode()),
        (b"x-turnpike-model", exchange.order.model.id.encode()),
        *limit_headers(exchange.ticket),
    ]


async def start_stream(send: Send, exchange: Exchange) -> None:
    """Send the head of a stream."""
    exchange.head_sent = True
    headers = [*_STREAM_HEAD, *common_headers(exchange)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


async def end_stream(send: Send, marker: bytes) -> None:
    """Send the end marker, and end the message."""
    await send({"type": "http.response.body", "body": marker})


async def break_stream(send: Send, exchange: Exchange, error: PlatformError) -> None:
    """Tell a client that its stream is over: an error event and no end marker, or an error if nothing was sent yet."""
    if exchange.head_sent:
        await end_stream(send, b"data: " + orjson.dumps(as_openai(error)) + b"\n\n")
    else:
        await send_error(send, error, common_headers(exchange))


async def send_outcome(send: Send, public_id: str, outcome: Outcome, *, streamed: bool) -> None:
    """Answer a repeated request with what the first one used and cost. Its content was never kept."""
    headers: list[Header] = [
        (b"x-request-id", public_id.encode()),
        (b"idempotent-replayed", b"true"),
        (b"x-turnpike-original-request-id", outcome.request_id.encode()),
        (b"x-turnpike-model", outcome.model.encode()),
        (b"x-turnpike-cost-nano-usd", b"%d" % outcome.cost_nusd),
    ]
    body = orjson.dumps(_as_completion(outcome, "chat.completion.chunk" if streamed else "chat.completion"))
    if not streamed:
        await send_json(send, 200, body, headers)
        return
    await send({"type": "http.response.start", "status": 200, "headers": [*_STREAM_HEAD, *headers]})
    await end_stream(send, b"data: " + body + b"\n\ndata: [DONE]\n\n")


def _as_completion(outcome: Outcome, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{outcome.request_id}",
        "object": kind,
        "created": int(outcome.at.timestamp()),
        "model": outcome.model,
        "choices": [],
        "usage": {
            "prompt_tokens": outcome.prompt_tokens,
            "completion_tokens": outcome.completion_tokens,
            "total_tokens": outcome.prompt_tokens + outcome.completion_tokens,
            "prompt_tokens_details": {"cached_tokens": outcome.cached_tokens},
        },
    }


async def send_error(send: Send, error: PlatformError, headers: Iterable[Header]) -> None:
    """Answer with an error."""
    named = [(name.encode(), value.encode()) for name, value in answer_headers(error).items()]
    await send_json(send, error.status, orjson.dumps(as_openai(error)), [*named, *headers])
