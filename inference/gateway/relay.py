"""Stream it and count it: carries one answer from an engine to the client and notes what it saw.

The delivery runs in a task of its own, the pump. Whoever wants it ended (the client's disconnect, a deadline, a drain)
cancels the pump, which aborts the engine; the task that serves the request goes on to settle.
One more replica is tried if the first fails before anything was forwarded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import orjson

from foundation import logs
from foundation.errors import PlatformError
from foundation.failpoints import reach
from foundation.web import Receive, Send, wait_for_disconnect
from inference.gateway.charging import PAYING, Ending
from inference.gateway.connections import Asking, EngineError
from inference.gateway.errors import UpstreamError
from inference.gateway.estimating import LIKELY_BYTES_PER_TOKEN
from inference.gateway.exchange import Exchange
from inference.gateway.routing import Balance, Target, candidates
from inference.gateway.streams import Blocks, Meter, Rewriter, split_at_done, split_at_error
from inference.gateway.upstream import CHAT, Upstream, chat_body, refusal

log = logs.get(__name__)

MOST_ATTEMPTS = 2
# After the end marker the engine only has to end its message; then its connection can be used again.
TRAILER_SECONDS = 0.2
MOST_ANSWER_BYTES = 256 * 1024 * 1024
DONE = b"data: [DONE]\n\n"
# Of an engine's answer, what may pass to the client.
ANSWER_FIELDS = ("id", "object", "created", "model", "choices", "usage", "system_fingerprint", "service_tier")

type Start = Callable[[], Awaitable[None]]


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
        if exchange.ending not in PAYING:
            _tell(exchange)

    async def _stream(self, exchange: Exchange, send: Send, start: Start, marker: bytearray) -> None:
        meter = exchange.meter = Meter(exchange.order.chat.choices)
        try:
            answer = await self._ask(exchange, "text/event-stream")
            marker += await self._forward(exchange, answer, meter, send, start)
        except EngineError as cause:
            raise UpstreamError from cause
        finally:
            self._leave(exchange)
            exchange.usage, exchange.usage_is_final, exchange.outputs = meter.usage(), meter.final, meter.outputs
        if not marker:
            raise UpstreamError from ValueError("the engine's stream ended without an end marker")
        exchange.complete = True

    async def _forward(self, exchange: Exchange, answer: Asking, meter: Meter, send: Send, start: Start) -> bytes:
        """Send on whole events until the end marker, and return it; empty where there is none."""
        blocks, rewriter, between_seconds = Blocks(), _rewriter(exchange), _between_seconds(exchange)
        now = asyncio.get_running_loop().time
        while (chunk := await answer.read_chunk()) is not None:
            block, marker = split_at_done(blocks.feed(chunk))
            block, broken = split_at_error(block)
            if block:
                meter.observe(block)
                if exchange.first_output is None and meter.outputs:
                    exchange.first_output = now()
                exchange.wait_for_client(now())
                if not exchange.head_sent:
                    await start()
                body = rewriter.rewrite(block)
                if body:
                    await send({"type": "http.response.body", "body": body, "more_body": True})
                    reach("streaming")
            if broken:
                raise UpstreamError from ValueError("the engine reported an error in its stream")
            exchange.wait_for_engine(now(), between_seconds)
            if marker:
                await _read_trailer(answer)
                return marker
        return DONE if meter.finished and meter.final else b""

    async def _whole(self, exchange: Exchange, answer: dict[str, Any]) -> None:
        try:
            asking = await self._ask(exchange, "application/json")
            exchange.wait_for_engine(asyncio.get_running_loop().time(), float("inf"))
            body = await asking.read_all(MOST_ANSWER_BYTES)
            value = orjson.loads(body)
        except (EngineError, orjson.JSONDecodeError) as cause:
            raise UpstreamError from cause
        finally:
            self._leave(exchange)
        if not isinstance(value, dict) or not isinstance(value.get("choices"), list):
            raise UpstreamError from ValueError("the engine's answer has no choices")
        exchange.usage, exchange.usage_is_final = value.get("usage"), True
        exchange.outputs = sum(_likely_tokens(choice) for choice in value["choices"])
        exchange.first_output = asyncio.get_running_loop().time()
        answer |= {name: value[name] for name in ANSWER_FIELDS if name in value}
        answer["model"] = exchange.order.model.id
        exchange.complete = True

    async def _ask(self, exchange: Exchange, media_type: str) -> Asking:
        """Find a replica that answers; at most two are tried, and none after one has answered."""
        while True:
            target, answer = self._prepare(exchange)
            try:
                await answer.send()
            except EngineError:
                self._balance.failed(target, asyncio.get_running_loop().time())
                if len(exchange.attempts) >= MOST_ATTEMPTS or not self._has_another(exchange):
                    raise
                self._leave(exchange)
            else:
                _check(answer, media_type)
                reach("accepted")
                return answer

    def _prepare(self, exchange: Exchange) -> tuple[Target, Asking]:
        now = asyncio.get_running_loop().time()
        exchange.target = target = self._balance.choose(
            exchange.order.model, now, exchange.attempts, exchange.ticket.pool
        )
        exchange.attempts.append(target.replica.id)
        exchange.total_deadline = exchange.started + target.pool.total_seconds
        exchange.wait_for_engine(now, target.pool.first_byte_seconds)
        body = chat_body(exchange.order.chat, target, exchange.order.bound.max_tokens)
        exchange.asking = asking = self._upstream.post(target, CHAT, body, exchange.public_id)
        return target, asking

    def _has_another(self, exchange: Exchange) -> bool:
        return bool(candidates(exchange.order.model, exchange.attempts, exchange.ticket.pool))

    def _leave(self, exchange: Exchange) -> None:
        """Finish with a replica: an engine that is still at work notices that its connection is closed."""
        asking, exchange.asking = exchange.asking, None
        if asking is not None and exchange.target is not None:
            asking.finish()
            self._balance.release(exchange.target)


def _rewriter(exchange: Exchange) -> Rewriter:
    chat = exchange.order.chat
    return Rewriter(exchange.order.model.id, include_usage=chat.include_usage, continuous_usage=chat.continuous_usage)


def _between_seconds(exchange: Exchange) -> float:
    return exchange.target.pool.between_tokens_seconds if exchange.target is not None else 0.0


def _check(answer: Asking, media_type: str) -> None:
    if answer.status != 200:
        raise refusal(answer.status)
    if answer.header("content-encoding") not in (None, "identity"):
        raise UpstreamError from ValueError("the engine compressed its answer unasked")
    if not (answer.header("content-type") or "").startswith(media_type):
        raise UpstreamError from ValueError("the engine's answer has the wrong content type")


async def _read_trailer(answer: Asking) -> None:
    """Read to the end of the message, if it comes at once. What follows an end marker is not forwarded."""
    with suppress(TimeoutError, EngineError):
        async with asyncio.timeout(TRAILER_SECONDS):
            while await answer.read_chunk() is not None:
                pass


def _likely_tokens(choice: Any) -> int:
    """Estimate the output of an engine that does not tell its usage; 0 only where there is none."""
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(message, dict):
        return 0
    said = [message.get(name) for name in ("content", "reasoning", "reasoning_content", "refusal", "tool_calls")]
    return sum(len(orjson.dumps(part)) // LIKELY_BYTES_PER_TOKEN + 1 for part in said if part)


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
