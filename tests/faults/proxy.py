"""A proxy with faults, to stand before Valkey or Postgres: it forwards bytes until it is told to do something worse.

    with proxied(socket) as proxy:
        proxy.be("slow")

| it may be | then                                                                                     |
|-----------|------------------------------------------------------------------------------------------|
| `up`      | everything passes                                                                        |
| `slow`    | everything passes, each answer 200 ms late                                               |
| `paused`  | connections are accepted and stand, nothing passes: a black hole                         |
| `reset`   | connections are broken off (RST) as soon as anything is sent through them                |
| `down`    | all connections are broken off, and nobody listens                                       |
| `loading` | every command is answered as a Valkey does that still reads its data                     |

What was held back by `paused` goes on its way when the proxy is `up` again, as after a network's hiccup.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import hiredis

HOST = "127.0.0.1"
SLOW_SECONDS = 0.2
LOADING = b"-LOADING Valkey is loading the dataset in memory\r\n"
# Closed so, a connection ends with a reset.
NO_LINGER = struct.pack("ii", 1, 0)


class Proxy:
    """Forwards TCP connections to a unix socket. Its loop runs in a thread of its own."""

    def __init__(self, upstream: Path, loop: asyncio.AbstractEventLoop) -> None:
        self._upstream = upstream
        self._loop = loop
        self._mode = "up"
        self._flowing = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    def be(self, mode: str) -> None:
        """Be in another state from now on; what that breaks off is broken off when this returns."""
        self._wait_for(self._become(mode))

    def open(self) -> None:
        """Begin to listen, on a port that nobody else has."""
        self._wait_for(self._listen())
        self.be("up")

    def close(self) -> None:
        """Break off everything, and end."""
        self._wait_for(self._become("down"))
        self._wait_for(self._end())

    def _wait_for(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, HOST, self.port, limit=1 << 20)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _become(self, mode: str) -> None:
        self._mode = mode
        if mode in ("down", "reset", "loading"):
            for writer in list(self._writers):
                _reset(writer)
        if mode == "down" and self._server is not None:
            self._server.close()
            self._server = None
        elif mode != "down" and self._server is None:
            await self._listen()
        if mode == "paused":
            self._flowing.clear()
        else:
            self._flowing.set()

    async def _end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            with suppress(OSError, asyncio.CancelledError):
                await self._carry(reader, writer)
        finally:
            self._writers.discard(writer)
            self._tasks.discard(task)
            writer.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._mode == "loading":
            await _answer_that_it_loads(reader, writer)
            return
        above, onward = await asyncio.open_unix_connection(str(self._upstream), limit=1 << 20)
        both = [
            asyncio.ensure_future(self._pump(reader, onward, back=False)),
            asyncio.ensure_future(self._pump(above, writer, back=True)),
        ]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in both:
                pump.cancel()
            await asyncio.gather(*both, return_exceptions=True)
            onward.close()

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, back: bool) -> None:
        while data := await source.read(1 << 16):
            if self._mode == "reset":
                for writer in list(self._writers):
                    _reset(writer)
                return
            if back and self._mode == "slow":
                await asyncio.sleep(SLOW_SECONDS)
            await self._flowing.wait()
            target.write(data)
            await target.drain()


async def _answer_that_it_loads(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    commands = hiredis.Reader()
    while data := await reader.read(1 << 16):
        commands.feed(data)
        while commands.gets() is not False:
            writer.write(LOADING)
        await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    if connection is not None:
        with suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
    writer.transport.abort()


@contextmanager
def proxied(upstream: Path) -> Iterator[Proxy]:
    """A proxy before a server's unix socket, for the length of the block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="proxy")
    thread.start()
    proxy = Proxy(upstream, loop)
    try:
        proxy.open()
        yield proxy
    finally:
        proxy.close()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
