"""Reads many streams of server-sent events at once, where there is no C compiler: `streams.c` in Python.

Takes the same arguments and prints the same JSON; streams.c says what they mean. It looks only for what ends events and
streams, so it tells less exactly why a stream is wrong.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from dataclasses import dataclass, field

import orjson

from config.local import ports

_EVENT_END = b"\n\n"
_BODY_END = b"0\r\n\r\n"
_DONE = b"data: [DONE]\n\n"
_TAIL = len(_DONE) + len(b"\r\n") + len(_BODY_END)


@dataclass(slots=True)
class Count:
    """What all connections have seen. Times are the loop's."""

    request: bytes
    warm_until: float
    chunks: int = 0
    streams: int = 0
    errors: int = 0
    ttft_us: list[int] = field(default_factory=list)


class Reader(asyncio.Protocol):
    """One connection, which asks again whenever its stream has ended."""

    def __init__(self, count: Count) -> None:
        self._count = count
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.BaseTransport | None = None
        self._sent = 0.0
        self._events = -1
        self._tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write."""
        self._transport = transport

    def ask(self) -> None:
        """Send the request."""
        self._sent, self._events, self._tail = self._loop.time(), 0, b""
        if isinstance(self._transport, asyncio.WriteTransport):
            self._transport.write(self._count.request)

    def data_received(self, data: bytes) -> None:
        """Count the events that end here, and see whether the stream does."""
        now = self._loop.time()
        if not self._tail and not data.startswith(b"HTTP/1.1 200 "):
            self._fail()
            return
        # An end may be cut in two: what is left of the last read is looked at again, but for the event it ended with.
        ended = (self._tail[-1:] + data).count(_EVENT_END)
        self._tail = (self._tail + data)[-_TAIL:]
        if self._events < 2 <= self._events + ended:
            self._count.ttft_us.append(int((now - self._sent) * 1e6))
        self._events += ended
        if now >= self._count.warm_until:
            self._count.chunks += ended
        if self._tail.endswith(_BODY_END):
            self._end(now)

    def connection_lost(self, exc: Exception | None) -> None:
        """A stream that has begun and not ended is broken."""
        if self._events > 0:
            self._count.errors += 1

    def _end(self, now: float) -> None:
        if _DONE not in self._tail:
            self._fail()
            return
        self._count.streams += 1
        if now >= self._count.warm_until:
            self._count.chunks -= 1  # the end marker is no token
        self.ask()

    def _fail(self) -> None:
        self._count.errors += 1
        self._events = -1
        if self._transport is not None:
            self._transport.close()


async def read(port: int, connections: int, seconds: float, warm: float, spread: float) -> dict[str, object]:
    """Read for so long, and return what was counted."""
    loop = asyncio.get_running_loop()
    count = Count(sys.stdin.buffer.read(), warm_until=0)
    readers = [(await loop.create_connection(lambda: Reader(count), ports.HOST, port))[1] for _ in range(connections)]
    began = loop.time()
    count.warm_until = began + warm
    for number, reader in enumerate(readers):
        loop.call_at(began + spread * number / connections, reader.ask)
    await asyncio.sleep(seconds)
    return {
        "chunks": count.chunks,
        "seconds": loop.time() - count.warm_until,
        "streams": count.streams,
        "errors": count.errors,
        "ttft_us": count.ttft_us,
    }


def main() -> None:
    """Read as the arguments say, and print what was counted."""
    gc.disable()  # nothing here makes cycles, and a collection would look like a slow token
    port, connections, *times = sys.argv[1:]
    seconds, warm, spread = map(float, times)
    found = asyncio.run(read(int(port), int(connections), seconds, warm, spread))
    sys.stdout.buffer.write(orjson.dumps(found))


if __name__ == "__main__":
    main()
