"""Stream it and count it: carries one answer from an engine to the client and notes what it saw.

The delivery runs in a task of its own, the pump. Whoever wants it ended (the client's disconnect, a deadline, a drain)
cancels the pump, which aborts the engine; the task that serves the request goes on to settle.
One more replica is tried if the first fails before anything was forwarded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

from foundation import logs
from foundation.errors import PlatformError
from foundation.failpoints import reach
from foundation.web import Receive, Send, wait_for_disconnect
from inference.gateway.charging import PAYING, Ending, quantity
from inference.gateway.connections import Asking, EngineError
from inference.gateway.engines.kinds import ENGINES
from inference.gateway.engines.wire import Call, Whole
from inference.gateway.errors import NotServed, UpstreamError
from inference.gateway.exchange import Exchange
from inference.gateway.routing import Balance, Target, candidates
from inference.gateway.upstream import Upstream

log = logs.get(__name__)

MOST_ATTEMPTS = 2
# After the end marker the engine only has to end its message; then its connection can be used again.
TRAILER_SECONDS = 0.2
MOST_ANSWER_BYTES = 256 * 1024 * 1024
MOST_REFUSAL_BYTES = 64 * 1024
# How an engine says that it does not have what it was asked for, as llama.cpp without `--embeddings`.
_NO_ENDPOINT = frozenset({404, 405, 501})
NOTHING = Whole(b"", None, 0)

type Start = Callable[[], Awaitable[None]]


class Relay:
    """Delivers answers from the engines of one process's view of the fleet."""

    def __init__(self, upstream: Upstream, balance: Balance, client_seconds: float) -> None:
        self._upstream = upstream
        self._balance = balance
        self._client_seconds = client_seconds

    async def stream(self, exchange: Exchange, receive: Receive, send: Send, start: Start) -> bytes:
        """Forward a stream up to its end marker and return the marker; empty if the stream did not get that far.

        `start` sends the head of the answer, when the first event has come. What went wrong is in `exchange.error`.
        """
        marker = bytearray()
        exchange.quiet_since = asyncio.get_running_loop().time()
        if exchange.order.surface.keep_alive:
            exchange.keep_alive = partial(_keep_alive, exchange, send, start)
        await self._deliver(exchange, receive, self._stream(exchange, send, start, marker))
        return bytes(marker)

    async def whole(self, exchange: Exchange, receive: Receive) -> Whole:
        """Return a whole answer for the client; empty if there is none. What went wrong is in `exchange.error`."""
        answers: list[Whole] = []
        await self._deliver(exchange, receive, self._whole(exchange, answers))
        return answers[0] if answers else NOTHING

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
        except Exception:  # The boundary to what engines write: whatever trips us there, the request is settled.
            log.exception("delivery_tripped")
            exchange.error = UpstreamError()
        finally:
            watch.cancel()
        if exchange.ending not in PAYING:
            _tell(exchange)

    async def _stream(self, exchange: Exchange, send: Send, start: Start, marker: bytearray) -> None:
        try:
            answer = await self._ask(exchange)
            if answer is not None:
                marker += await self._forward(exchange, answer, send, start)
        except EngineError as cause:
            raise UpstreamError from cause
        finally:
            self._leave(exchange)
            if (stream := exchange.stream) is not None:
                exchange.usage, exchange.usage_is_final, exchange.outputs = stream.usage(), stream.final, stream.outputs
                exchange.quantity = _quantity(exchange) if marker or stream.outputs else 0
        if not marker:
            raise UpstreamError from ValueError("the engine's stream ended without an end marker")
        exchange.complete = True

    async def _forward(self, exchange: Exchange, answer: Asking, send: Send, start: Start) -> bytes:
        """Send on whole events until the end marker, and return it; empty where there is none."""
        stream = exchange.stream = exchange.wire.stream(exchange.order)
        between_seconds, now = _between_seconds(exchange), asyncio.get_running_loop().time
        marker = b""
        while not marker and (chunk := await answer.read_chunk()) is not None:
            body, marker, broken = stream.feed(chunk)
            if body:
                if exchange.first_output is None and stream.outputs:
                    exchange.first_output = now()
                exchange.wait_for_client(now(), self._client_seconds)
                if not exchange.head_sent:
                    await start()
                await send({"type": "http.response.body", "body": body, "more_body": True})
                reach("streaming")
            if broken:
                raise UpstreamError from ValueError("the engine reported an error in its stream")
            exchange.wait_for_engine(now(), between_seconds)
        if marker:
            await _read_trailer(answer)
        marker = marker or stream.finish()
        if marker and not exchange.head_sent:
            await start()
        return marker

    async def _whole(self, exchange: Exchange, answers: list[Whole]) -> None:
        try:
            asking = await self._ask(exchange)
            exchange.wait_for_engine(asyncio.get_running_loop().time(), float("inf"))
            body = await asking.read_all(MOST_ANSWER_BYTES) if asking else b""
            whole = exchange.wire.whole(exchange.order, body, (asking and asking.header("content-type")) or "")
        except EngineError as cause:
            raise UpstreamError from cause
        finally:
            self._leave(exchange)
        exchange.usage, exchange.usage_is_final, exchange.outputs = whole.usage, True, whole.outputs
        exchange.quantity = _quantity(exchange)
        exchange.first_output = asyncio.get_running_loop().time()
        answers.append(whole)
        exchange.complete = True

    async def _ask(self, exchange: Exchange) -> Asking | None:
        """Find a replica that answers; at most two are tried, and none after one has answered.

        None if its wire needs no engine.
        """
        while True:
            target, call, answer = self._prepare(exchange)
            if call is None or answer is None:
                return None
            try:
                await answer.send()
            except EngineError:
                self._balance.failed(target, asyncio.get_running_loop().time())
                if len(exchange.attempts) >= MOST_ATTEMPTS or not self._has_another(exchange):
                    raise
                self._leave(exchange)
            else:
                if answer.status not in _NO_ENDPOINT or await _is_about_the_model(answer, target):
                    _check(answer, target, call)
                    reach("accepted")
                    return answer
                self._turn_elsewhere(exchange, target)

    def _turn_elsewhere(self, exchange: Exchange, target: Target) -> None:
        """Leave a pool whose engines do not have the endpoint to ask another one. Raises `NotServed` without any."""
        order = exchange.order
        self._leave(exchange)
        order.routes = tuple(route for route in order.routes if route.pool.name != target.pool.name and route.weight)
        if not order.routes:
            raise NotServed(order.model.id, order.surface.path)
        if len(exchange.attempts) >= MOST_ATTEMPTS or not self._has_another(exchange):
            raise UpstreamError from ValueError("the engine does not have the endpoint")

    def _prepare(self, exchange: Exchange) -> tuple[Target, Call | None, Asking | None]:
        now = asyncio.get_running_loop().time()
        exchange.target = target = self._balance.choose(
            exchange.order.routes, now, exchange.attempts, exchange.ticket.pool
        )
        exchange.attempts.append(target.replica.id)
        exchange.total_deadline = exchange.started + target.pool.total_seconds
        exchange.wait_for_engine(now, target.pool.first_byte_seconds)
        call = self._call(exchange, target)
        exchange.asking = asking = None if call is None else self._upstream.post(target, call, exchange.public_id)
        return target, call, asking

    def _call(self, exchange: Exchange, target: Target) -> Call | None:
        """Write the request. One that need not or cannot be written keeps no place on the replica."""
        exchange.wire = wire = ENGINES[target.pool.engine].wires[exchange.order.surface.name]
        call = None
        try:
            exchange.order.template = target.template
            call = wire.call(exchange.order, target.upstream_name)
        finally:
            if call is None:
                self._balance.release(target)
        return call

    def _has_another(self, exchange: Exchange) -> bool:
        return bool(candidates(exchange.order.routes, exchange.attempts, exchange.ticket.pool))

    def _leave(self, exchange: Exchange) -> None:
        """Finish with a replica: an engine that is still at work notices that its connection is closed."""
        asking, exchange.asking = exchange.asking, None
        if asking is not None and exchange.target is not None:
            asking.finish()
            self._balance.release(exchange.target)


async def _keep_alive(exchange: Exchange, send: Send, start: Start) -> None:
    if exchange.keep_alive is None:
        return  # The stream's end was faster.
    exchange.quiet_since = asyncio.get_running_loop().time()
    if not exchange.head_sent:
        await start()
    await send({"type": "http.response.body", "body": exchange.order.surface.keep_alive, "more_body": True})


def _quantity(exchange: Exchange) -> int:
    wanted = exchange.order.wanted
    likely = wanted.quantity if wanted.likely_quantity is None else wanted.likely_quantity
    return quantity(exchange.order.surface.unit, exchange.usage, likely)


def _between_seconds(exchange: Exchange) -> float:
    return exchange.target.pool.between_tokens_seconds if exchange.target is not None else 0.0


async def _is_about_the_model(answer: Asking, target: Target) -> bool:
    """Say whether a 404 names the model: then the deployment is wrong, which no client can help."""
    return answer.status == 404 and target.upstream_name.encode() in await answer.read_all(MOST_REFUSAL_BYTES)


def _check(answer: Asking, target: Target, call: Call) -> None:
    if answer.status != 200:
        raise ENGINES[target.pool.engine].refusal(answer.status)
    if answer.header("content-encoding") not in (None, "identity"):
        raise UpstreamError from ValueError("the engine compressed its answer unasked")
    if not (answer.header("content-type") or "").startswith(call.media):
        raise UpstreamError from ValueError("the engine's answer has the wrong content type")


async def _read_trailer(answer: Asking) -> None:
    """Read to the end of the message, if it comes at once. What follows an end marker is not forwarded."""
    with suppress(TimeoutError, EngineError):
        async with asyncio.timeout(TRAILER_SECONDS):
            while await answer.read_chunk() is not None:
                pass


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
