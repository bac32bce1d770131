"""Connections to engines: HTTP/1.1 on asyncio, with llhttp (httptools) to read the answers.

Our own because a gateway must be able to stop an engine at any moment: leaving an exchange early closes its connection,
whatever it was waiting for. The clients that were tried lose a cancellation while they wait for the head of an answer
(docs/decisions/0008-connections-to-engines.md). Redirects are not followed, nothing is decompressed, no cookie is kept.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import defaultdict, deque
from functools import lru_cache
from ipaddress import ip_address
from typing import Final, cast

import httptools

from foundation import logs
from inference.gateway.engine_addresses import Origin, address_of, is_forbidden

log = logs.get(__name__)

# Less than the five seconds after which uvicorn, and so vLLM, closes an idle connection.
IDLE_SECONDS: Final = 4.0
MOST_IDLE: Final = 512
# Of the head, of trailers, and of whatever else may come before, between and after a body's bytes.
MOST_HEAD_BYTES: Final = 64 * 1024
# What may lie here unread before the engine has to wait.
MOST_UNREAD_BYTES: Final = 256 * 1024
# What of a stream is handed on in one turn of the loop. A process that is behind with hundreds of streams gets to all
# else after so much of each of them, and not after all that has come.
MOST_AT_ONCE_BYTES: Final = 16 * 1024
ALL: Final = 0


class EngineError(Exception):
    """The engine did not answer, or not in HTTP. Its message names no content."""


class Unreachable(EngineError):
    """No connection could be made: nothing was sent."""


class Broken(EngineError):
    """The connection ended before the answer did, or brought what is no answer."""


class Connection(asyncio.Protocol):
    """One connection: a request at a time, and the answer to it piece by piece."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[None] | None = None
        self.closed = False
        self.used = False
        self.idle_since = 0.0
        self._begin()

    def _begin(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        # The parser tells a header once it is whole: an endless one shows only in how much has come.
        self._idle_bytes = 0
        self._head_bytes = 0
        self.status = 0
        self.headers: dict[str, str] = {}
        self._in_head = True
        self._parts: deque[bytes] = deque()
        self._unread = 0
        self._paused = False
        self.started = False
        self.complete = False
        self._keep_alive = False
        self._error: EngineError | None = None

    # What the transport tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A stream's transport reads and writes; uvloop's is no subclass of asyncio's.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self.complete or not self.used:
            self.close()  # An engine that speaks unasked is not in step with us.
            return
        self.started = True
        self._idle_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade, Broken) as error:
            self._give_up(f"no HTTP: {type(error).__name__}")
        else:
            if self._idle_bytes > MOST_HEAD_BYTES:
                self._give_up("too much that is no body")
        self._wake()

    def _give_up(self, why: str) -> None:
        if not self.complete:
            self._error = Broken(why)
        self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        if not self.complete and self._error is None:
            if self._ends_with_the_connection() and exc is None:
                self.complete = True
            else:
                self._error = Broken("the connection ended too early")
        self._wake()

    # What the parser tells.

    def on_message_begin(self) -> None:
        if self.complete:
            raise Broken("a second answer to one request")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > MOST_HEAD_BYTES:
            raise Broken("the head is too large")
        if self._in_head:
            self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        if self.status >= 200:
            self._in_head = False

    def on_body(self, body: bytes) -> None:
        self._idle_bytes = 0
        self._parts.append(body)
        self._unread += len(body)
        if self._unread > MOST_UNREAD_BYTES and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        if self.status < 200:
            self.headers = {}  # 100 Continue and its kind: the answer is still to come.
            return
        self.complete = True
        self._keep_alive = self._parser.should_keep_alive()

    # What the gateway asks for.

    def send(self, request: bytes) -> None:
        """Write a whole request."""
        if self.used:
            self._begin()
        self.used = True
        if self._transport is not None:
            self._transport.write(request)

    async def wait_for_head(self) -> None:
        """Return when status and headers are there. Raises `Broken`."""
        while self._in_head:
            self._raise_error()
            await self._wait()

    async def read_chunk(self, most: int = MOST_AT_ONCE_BYTES) -> bytes | None:
        """Return what has come of the body, at most so much; None at its end. Raises `Broken`."""
        if self._parts and most:
            await asyncio.sleep(0)  # More is here already: now it is the turn of others.
        while not self._parts:
            if self.complete:
                return None
            self._raise_error()
            await self._wait()
        body = self._take(most)
        self._unread -= len(body)
        if self._paused and not self._parts and self._transport is not None and not self.closed:
            self._paused = False
            self._transport.resume_reading()
        return body

    def _take(self, most: int) -> bytes:
        if self._unread <= most or not most:
            body = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
            self._parts.clear()
            return body
        taken: list[bytes] = []
        left = most
        while left:
            part = self._parts.popleft()
            if len(part) > left:
                self._parts.appendleft(part[left:])
            taken.append(part[:left])
            left -= len(taken[-1])
        return b"".join(taken)

    @property
    def reusable(self) -> bool:
        """Whether the next request may use it."""
        return self.complete and self._keep_alive and not self.closed and not self._parts

    def close(self) -> None:
        """Close it at once, whatever is under way: the engine notices and stops."""
        self.closed = True
        if self._transport is not None:
            self._transport.abort()

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error

    def _ends_with_the_connection(self) -> bool:
        framed = "content-length" in self.headers or "transfer-encoding" in self.headers
        return not self._in_head and not framed

    async def _wait(self) -> None:
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Connections:
    """The idle connections of one process, by origin."""

    def __init__(self, ca_bundle: str = "") -> None:
        """Take a file of certificate authorities that engines may have beside the system's own."""
        self._ca_bundle = ca_bundle
        self._idle: defaultdict[Origin, deque[Connection]] = defaultdict(deque)

    def post(
        self, url: str, path: str, body: bytes, headers: tuple[tuple[str, str], ...], connect_seconds: float
    ) -> Asking:
        """Prepare a request with a body."""
        length = (("content-length", str(len(body))),)
        return self._ask(b"POST", url, path, headers + length, body, connect_seconds)

    def get(self, url: str, path: str, connect_seconds: float) -> Asking:
        """Prepare a request without one."""
        return self._ask(b"GET", url, path, (("accept-encoding", "identity"),), b"", connect_seconds)

    def _ask(
        self,
        method: bytes,
        url: str,
        path: str,
        headers: tuple[tuple[str, str], ...],
        body: bytes,
        connect_seconds: float,
    ) -> Asking:
        address = address_of(url)
        lines = [method, b" ", address.prefix, path.encode("ascii"), b" HTTP/1.1\r\nhost: ", address.host]
        for name, value in headers:
            lines += (b"\r\n", name.encode("ascii"), b": ", value.encode("latin-1"))
        lines += (b"\r\n\r\n", body)
        return Asking(self, address.origin, b"".join(lines), connect_seconds)

    async def take(self, origin: Origin, connect_seconds: float, *, fresh: bool) -> Connection:
        """Return an idle connection, or a new one. Raises `Unreachable`."""
        loop = asyncio.get_running_loop()
        idle = self._idle[origin]
        while idle and not fresh:
            connection = idle.pop()
            if not connection.closed and loop.time() - connection.idle_since < IDLE_SECONDS:
                return connection
            connection.close()
        try:
            async with asyncio.timeout(connect_seconds):
                return await self._connect(loop, origin)
        except (OSError, TimeoutError) as error:
            raise Unreachable(type(error).__name__) from error

    async def _connect(self, loop: asyncio.AbstractEventLoop, origin: Origin) -> Connection:
        """Connect to the first of a host's addresses that answers. What was checked is what is connected to."""
        host, port, secure = origin
        tls, refused = tls_for(self._ca_bundle) if secure else None, OSError("the host has no address")
        for address in await _addresses(loop, host, port):
            try:
                _, made = await loop.create_connection(
                    lambda: Connection(loop), address, port, ssl=tls, server_hostname=host if secure else None
                )
            except OSError as error:
                refused = error
            else:
                return made
        raise refused

    def give_back(self, origin: Origin, connection: Connection) -> None:
        """Keep a connection for the next request if it can carry one."""
        idle = self._idle[origin]
        if not connection.reusable or len(idle) >= MOST_IDLE:
            connection.close()
            return
        connection.idle_since = now = asyncio.get_running_loop().time()
        idle.append(connection)
        # The one used last is used next, so those at the other end are what a peak has left over.
        while idle[0].closed or now - idle[0].idle_since > IDLE_SECONDS:
            idle.popleft().close()

    def close(self) -> None:
        """Close all idle connections."""
        for idle in self._idle.values():
            for connection in idle:
                connection.close()
        self._idle.clear()


class Asking:
    """One request and its answer. `finish` it in the end: an answer that is not complete is aborted by that."""

    def __init__(self, connections: Connections, origin: Origin, request: bytes, connect_seconds: float) -> None:
        self._connections = connections
        self._origin = origin
        self._request = request
        self._connect_seconds = connect_seconds
        self._connection: Connection | None = None
        self._reused = False

    async def send(self) -> None:
        """Send the request and wait for the head of the answer. Raises `Unreachable`, `Broken`."""
        connection = await self._send(fresh=False)
        try:
            await connection.wait_for_head()
        except Broken:
            # An idle connection that the engine was closing at this very moment says nothing about the engine.
            if connection.started or not self._reused:
                raise
            connection = await self._send(fresh=True)
            await connection.wait_for_head()

    async def _send(self, *, fresh: bool) -> Connection:
        self.finish()
        self._connection = connection = await self._connections.take(self._origin, self._connect_seconds, fresh=fresh)
        self._reused = connection.used
        connection.send(self._request)
        return connection

    def finish(self) -> None:
        """Give the connection back if its answer is complete, else close it. A second call changes nothing."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._connections.give_back(self._origin, connection)

    @property
    def status(self) -> int:
        """The answer's status."""
        return self._sent.status

    def header(self, name: str) -> str | None:
        """Return a header of the answer; the name in lower case."""
        return self._sent.headers.get(name)

    async def read_chunk(self) -> bytes | None:
        """Return what has come of the body by now, or a part of it that is not too large; None at its end.

        Raises `Broken`.
        """
        return await self._sent.read_chunk()

    async def read_all(self, most: int) -> bytes:
        """Return the whole body. Raises `Broken`, also for one of more than `most` bytes."""
        parts, size = [], 0
        while (part := await self._sent.read_chunk(ALL)) is not None:
            parts.append(part)
            size += len(part)
            if size > most:
                raise Broken("the body is too large")
        return b"".join(parts)

    @property
    def _sent(self) -> Connection:
        if self._connection is None:
            raise RuntimeError("nothing was sent, or it is finished")
        return self._connection


async def _addresses(loop: asyncio.AbstractEventLoop, host: str, port: int) -> list[str]:
    """Resolve a host. Raises OSError for one that is nowhere, and for one that is only where no engine may be."""
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = dict.fromkeys(str(place[0]) for *_, place in found)
    allowed = [address for address in addresses if not is_forbidden(ip_address(address))]
    if not allowed:
        log.error("engine_address_forbidden", host=host, port=port)
        raise OSError("the host has only addresses that no engine has")
    return allowed


@lru_cache(maxsize=4)
def tls_for(ca_bundle: str) -> ssl.SSLContext:
    """Return how to speak TLS to engines: certificates and names are checked, against these authorities as well."""
    context = ssl.create_default_context()
    if ca_bundle:
        context.load_verify_locations(ca_bundle)
    context.set_alpn_protocols(["http/1.1"])
    return context
