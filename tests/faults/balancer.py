"""A balancer in front of several servers: it asks /readyz, hands each new connection to one that is ready, and on.

It repeats nothing and looks into nothing, so whatever a server does badly at its end reaches the client.
"""

import asyncio
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.installation import Server

ASK_EVERY_SECONDS = 0.1

_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


class Balancer:
    """Listens at `port`; changes of `servers` count from the next connection on."""

    def __init__(self, servers: list[Server]) -> None:
        self.servers = servers
        self.port = 0
        self._ready: list[int] = []
        self._next = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        await self._look()
        self._listener = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._listener.sockets[0].getsockname()[1]
        self._watch = asyncio.create_task(self._keep_looking())

    async def stop(self) -> None:
        self._listener.close()
        for task in (self._watch, *self._tasks):
            task.cancel()
        await asyncio.gather(self._watch, *self._tasks, return_exceptions=True)

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(ASK_EVERY_SECONDS)
            await self._look()

    async def _look(self) -> None:
        ports = [server.port for server in self.servers]
        found = await asyncio.gather(*(asyncio.to_thread(_is_ready, port) for port in ports))
        self._ready = [port for port, ready in zip(ports, found, strict=True) if ready]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._next += 1
        port = self._ready[self._next % len(self._ready)]
        with suppress(OSError):
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
            there = asyncio.create_task(_copy(reader, far_writer))
            await _copy(far_reader, writer)
            there.cancel()
            far_writer.close()
        writer.close()


@contextmanager
def balancing(servers: list[Server]) -> Iterator[Balancer]:
    """Balance for the length of the block, in a thread with a loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="balancer")
    thread.start()
    balancer = Balancer(servers)
    try:
        asyncio.run_coroutine_threadsafe(balancer.start(), loop).result(10)
        yield balancer
    finally:
        asyncio.run_coroutine_threadsafe(balancer.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()


def _is_ready(port: int) -> bool:
    try:
        with _open(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
