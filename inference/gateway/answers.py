"""What leaves: the heads of answers, errors, and the end of a stream that broke."""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from foundation.errors import PlatformError, answer_headers, as_openai
from foundation.web import GUARDED, Header, Send, send_json
from inference.gateway.admission import Ticket
from inference.gateway.engines.wire import Whole
from inference.gateway.exchange import Exchange
from inference.gateway.surfaces.surface import Surface
from inference.gateway.wanted import Outcome, Wanted


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


def identity(surface: Surface | None, public_id: str) -> list[Header]:
    """Write the request's id, under the names that the endpoint's clients look for."""
    names = surface.id_headers if surface else (b"x-request-id",)
    return [(name, public_id.encode()) for name in names]


def common_headers(exchange: Exchange) -> list[Header]:
    """Write what every answer of a model carries."""
    return [
        *identity(exchange.order.surface, exchange.public_id),
        (b"x-turnpike-model", exchange.order.model.id.encode()),
        *limit_headers(exchange.ticket),
    ]


async def start_stream(send: Send, exchange: Exchange) -> None:
    """Send the head of a stream."""
    exchange.head_sent = True
    headers = [*exchange.order.surface.stream_head(exchange.order.wanted), *common_headers(exchange)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


async def end_stream(send: Send, marker: bytes) -> None:
    """Send the end marker, and end the message."""
    await send({"type": "http.response.body", "body": marker})


async def break_stream(send: Send, exchange: Exchange, error: PlatformError) -> None:
    """Tell a client that its stream is over: an error event and no end marker, or an error if nothing was sent yet.

    Where a stream has no words for it nothing is sent: the server closes the connection before the body is complete.
    """
    surface = exchange.order.surface
    if exchange.head_sent and not surface.tells_breaks:
        return
    if exchange.head_sent:
        await end_stream(send, surface.error_event(error, exchange.public_id))
    else:
        await send_error(send, surface.error(error, exchange.public_id), error, common_headers(exchange))


async def send_whole(send: Send, exchange: Exchange, whole: Whole, cost: int) -> None:
    """Send a whole answer, with what it cost."""
    headers = [
        (b"content-type", whole.content_type),
        (b"content-length", b"%d" % len(whole.body)),
        *GUARDED,
        *common_headers(exchange),
        (b"x-turnpike-cost-nano-usd", b"%d" % cost),
        *whole.headers,
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": whole.body})


async def send_outcome(send: Send, public_id: str, surface: Surface, outcome: Outcome, wanted: Wanted) -> None:
    """Answer a repeated request with what the first one used and cost. Its content was never kept."""
    streamed = wanted.stream and surface.tells_breaks
    headers: list[Header] = [
        *identity(surface, public_id),
        (b"idempotent-replayed", b"true"),
        (b"x-turnpike-original-request-id", outcome.request_id.encode()),
        (b"x-turnpike-model", outcome.model.encode()),
        (b"x-turnpike-cost-nano-usd", b"%d" % outcome.cost_nusd),
    ]
    body = surface.replay(outcome, streamed=streamed)
    if not streamed:
        await send_json(send, 200, body, headers)
        return
    await send({"type": "http.response.start", "status": 200, "headers": [*surface.stream_head(wanted), *headers]})
    await end_stream(send, body)


async def refuse(
    send: Send, surface: Surface | None, error: PlatformError, request_id: str, headers: Iterable[Header] = ()
) -> None:
    """Answer with an error in the words of the endpoint that was asked; in OpenAI's where there is none."""
    body = surface.error(error, request_id) if surface else orjson.dumps(as_openai(error))
    await send_error(send, body, error, [*identity(surface, request_id), *headers])


async def send_error(send: Send, body: bytes, error: PlatformError, headers: Iterable[Header]) -> None:
    """Answer with an error whose body is written already."""
    named = [(name.encode(), value.encode()) for name, value in answer_headers(error).items()]
    await send_json(send, error.status, body, [*named, *headers])
