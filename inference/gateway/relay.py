"""Stream it and count it: carries one answer from an engine to the client and notes what it saw.

The delivery runs in a task of its own, the pump. Whoever wants it ended (the client's disconnect, a deadline, a drain)
cancels the pump, which aborts the engine; the task that serves the request goes on to settle.
One more replica is tried if the first fails before anything was forwarded.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import orjson
from pyreqwest.exceptions import ConnectTimeoutError, PyreqwestError, RequestTimeoutError
from pyreqwest.response import Response

from foundation import logs
from foundation.errors import PlatformError
from foundation.failpoints import reach
from foundation.web import Receive, Send, wait_for_disconnect
from inference.gateway.charging import Ending
from inference.gateway.errors import UpstreamError, UpstreamTimeout
from inference.gateway.exchange import Exchange
from inference.gateway.routing import Balance, candidates
from inference.gateway.streams import Blocks, Meter, Rewriter, has_error, split_at_done
from inference.gateway.upstream import CHAT, Upstream, chat_body, refusal

log = logs.get(__name__)

MOST_ATTEMPTS = 2
# After the end marker the engine only has to end its message; then its connection can be used again.
TRAILER_SECONDS = 0.2
# Of an engine's answer, what may pass to the client.
ANSWER_FIELDS = ("id", "object", "created", "model", "choices", "usage", "system_fingerprint", "service_tier")

type Start = Callable[[], Awaitable[None]]


class _TryAnother(Exception):
    """The replica failed before it said anything."""


class Relay:
    """Delivers answers from the engines of one process's view of the fleet."""

    def __init__(self, upstream: Upstream, balance: Balance) -> None:
        self._upstream = upstream
        self._balance = balance

    async def stream(self, exchange: Exchange, receive: Receive, send: Send, start: Start) -> bytes:
        """Forward a stream up to its end marker and return the marker; empty if the stream did not get that far.

        `start` sends the head of the answer, when the first event has come. What went wrong is in `exchange.error`.
        """
        marker = bytearray()
        await self._deliver(exchange, receive, self._stream(exchange, send, start, marker))
        return bytes(marker)

    async def whole(self, exchange: Exchange, receive: Receive) -> dict[str, Any]:
        """Return a whole answer for the client; empty if there is none. What went wrong is in `exchange.error`."""
        answer: dict[str, Any] = {}
        await self._deliver(exchange, receive, self._whole(exchange, answer))
        return answer

    async def _deliver(self, exchange: Exchange, receive: Receive, delivery: Awaitable[None]) -> None:
        exchange.pump = pump = asyncio.ensure_future(delivery)
        watch = asyncio.ensure_future(wait_for_disconnect(receive))
        watch.add_done_callback(lambda done: None if done.cancelled() else exchange.stop(Ending.CLIENT_LEFT))
        try:
            await pump
        except asyncio.CancelledError:
            if exchange.stopped is None:
                raise
        except PlatformError as error:
            exchange.error = error
        finally:
            watch.cancel()
        if exchange.ending not in (Ending.COMPLETE, Ending.CLIENT_LEFT):
            _tell(exchange)

    async def _stream(self, exchange: Exchange, send: Send, start: Start, marker: bytearray) -> None:
        blocks, meter = Blocks(), Meter(exchange.order.chat.choices)
        rewriter = Rewriter(
            exchange.order.model.id,
            include_usage=exchange.order.chat.include_usage,
            continuous_usage=exchange.order.chat.continuous_usage,
        )
        loop = asyncio.get_running_loop()
        started, done = False, b""
        try:
            async with self._connected(exchange, "text/event-stream") as (reader, between_seconds):
                while (chunk := await reader.read_chunk()) is not None:
                    block, done = split_at_done(blocks.feed(bytes(chunk)))
                    if block:
                        meter.observe(block)
                        if has_error(block):
                            raise UpstreamError from ValueError("the engine reported an error in its stream")
                        if exchange.first_output is None and meter.outputs:
                            exchange.first_output = loop.time()
                        exchange.wait_for_client(loop.time())
                        if not started:
                            started = True
                            await start()
                        body = rewriter.rewrite(block)
                        if body:
                            await send({"type": "http.response.body", "body": body, "more_body": True})
                            reach("streaming")
                    if done:
                        exchange.wait_for_engine(loop.time(), TRAILER_SECONDS + 1)
                        await _read_trailer(reader)
                        break
                    exchange.wait_for_engine(loop.time(), between_seconds)
        finally:
            exchange.usage, exchange.usage_is_final, exchange.outputs = meter.usage(), meter.final, meter.outputs
        if not started or not (done or (meter.finished and meter.final)):
            raise UpstreamError from ValueError("the engine's stream ended without an end marker")
        marker += done or b"data: [DONE]\n\n"
        exchange.complete = True

    async def _whole(self, exchange: Exchange, answer: dict[str, Any]) -> None:
        async with self._connected(exchange, "application/json") as (reader, _):
            exchange.wait_for_engine(asyncio.get_running_loop().time(), float("inf"))
            body = bytes(await reader.bytes())
        try:
            value = orjson.loads(body)
        except orjson.JSONDecodeError as cause:
            raise UpstreamError from cause
        if not isinstance(value, dict) or not isinstance(value.get("choices"), list):
            raise UpstreamError from ValueError("the engine's answer has no choices")
        exchange.usage, exchange.usage_is_final = value.get("usage"), True
        exchange.outputs = sum(1 for choice in value["choices"] if _says_something(choice))
        exchange.first_output = asyncio.get_running_loop().time()
        answer |= {name: value[name] for name in ANSWER_FIELDS if name in value}
        answer["model"] = exchange.order.model.id
        exchange.complete = True

    @asynccontextmanager
    async def _connected(self, exchange: Exchange, media_type: str) -> AsyncIterator[tuple[Any, float]]:
        """Find a replica that answers; at most two are tried, and only until one has answered."""
        while True:
            try:
                async with self._attempt(exchange, media_type) as connected:
                    yield connected
                return
            except _TryAnother as failure:
                if len(exchange.attempts) >= MOST_ATTEMPTS or not self._has_another(exchange):
                    raise _public(failure.__cause__) from failure.__cause__

    def _has_another(self, exchange: Exchange) -> bool:
        return bool(candidates(exchange.order.model, exchange.attempts, exchange.ticket.pool))

    @asynccontextmanager
    async def _attempt(self, exchange: Exchange, media_type: str) -> AsyncIterator[tuple[Any, float]]:
        now = asyncio.get_running_loop().time()
        exchange.target = target = self._balance.choose(
            exchange.order.model, now, exchange.attempts, exchange.ticket.pool
        )
        exchange.attempts.append(target.replica.id)
        exchange.total_deadline = exchange.started + target.pool.total_seconds
        exchange.wait_for_engine(now, target.pool.first_byte_seconds)
        request = self._upstream.post(
            target, CHAT, chat_body(exchange.order.chat, target, exchange.order.bound.max_tokens), exchange.public_id
        )
        answered = False
        try:
            async with request as response:
                _check(response, media_type)
                answered = True
                reach("accepted")
                yield response.body_reader, target.pool.between_tokens_seconds
        except PyreqwestError as error:
            self._balance.failed(target, now)
            if answered or (isinstance(error, RequestTimeoutError) and not isinstance(error, ConnectTimeoutError)):
                raise _public(error) from error
            raise _TryAnother from error
        finally:
            self._balance.release(target)


def _check(response: Response, media_type: str) -> None:
    if response.status != 200:
        raise refusal(response.status)
    if response.get_header("content-encoding") not in (None, "identity"):
        raise UpstreamError from ValueError("the engine compressed its answer unasked")
    if not (response.get_header("content-type") or "").startswith(media_type):
        raise UpstreamError from ValueError("the engine's answer has the wrong content type")


def _public(cause: BaseException | None) -> PlatformError:
    return UpstreamTimeout() if isinstance(cause, RequestTimeoutError) else UpstreamError()


async def _read_trailer(reader: Any) -> None:
    """Read to the end of the message, if it comes at once. What follows an end marker is not forwarded."""
    with suppress(TimeoutError, PyreqwestError):
        async with asyncio.timeout(TRAILER_SECONDS):
            while await reader.read_chunk() is not None:
                pass


def _says_something(choice: Any) -> bool:
    message = choice.get("message") if isinstance(choice, dict) else None
    return isinstance(message, dict) and any(
        message.get(name) for name in ("content", "tool_calls", "reasoning", "reasoning_content", "refusal")
    )


def _tell(exchange: Exchange) -> None:
    error = exchange.error
    cause = error.__cause__ if error is not None else None
    log.warning(
        "delivery_failed",
        outcome=exchange.ending.value,
        code=error.code if error is not None else "",
        reason=type(cause).__name__ if cause is not None else "",
        replica=exchange.target.replica.url if exchange.target is not None else "",
        model=exchange.order.model.id,
    )
