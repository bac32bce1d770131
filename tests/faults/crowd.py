"""Many clients at once, each on a plain socket of its own: what an SDK repairs or hides, a test of faults must see.

The clients live in a thread with an event loop; a test looks at its calls while they run, and ends them as it likes.
"""

import asyncio
import json
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from tests.inference.simulator.client import CHAT, eventually, question

DONE = b"data: [DONE]"


@dataclass(eq=False)
class Call:
    """One request, and what has come of its answer so far. Only the bytes are kept; the rest is read from them."""

    port: int
    request: bytes
    raw: bytes = b""
    ended_at: float | None = None
    """Unix time; None while the connection lasts."""
    writer: asyncio.StreamWriter | None = None
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def head(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[0] if b"\r\n\r\n" in self.raw else b""

    @property
    def status(self) -> int:
        """0 as long as there is no whole head."""
        return int(self.head.split(b" ", 2)[1]) if self.head else 0

    @property
    def headers(self) -> dict[str, str]:
        lines = (line.partition(": ") for line in self.head.decode().split("\r\n")[1:])
        return {name.lower(): value for name, _, value in lines}

    @property
    def request_id(self) -> str:
        return self.headers.get("x-request-id", "")

    @property
    def body(self) -> bytes:
        return self._message()[0]

    @property
    def whole(self) -> bool:
        """Whether the HTTP message ended as it should."""
        return self._message()[1]

    @property
    def code(self) -> str | None:
        """The code of an error: the answer's own, or the one that a stream ended with."""
        last = self.events[-1] if self.events else self.body
        with suppress(ValueError, AttributeError):
            return json.loads(last).get("error", {}).get("code")
        return None

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def events(self) -> list[bytes]:
        return [event[6:] for event in self.body.split(b"\n\n") if event.startswith(b"data: ")]

    @property
    def outputs(self) -> int:
        """How many pieces of content have come."""
        return sum(event.count(b'"content":"') - event.count(b'"content":""') for event in self.events)

    @property
    def finished(self) -> bool:
        """Whether the client was told that its answer is complete: an end marker, or the whole JSON."""
        if self.status != 200:
            return False
        return DONE in self.body if b"event-stream" in self.head else self.whole and bool(self.json["choices"])

    def _message(self) -> tuple[bytes, bool]:
        _, _, rest = self.raw.partition(b"\r\n\r\n")
        if b"chunked" in self.head:
            return _dechunked(rest)
        return rest, bool(self.head) and len(rest) == int(self.headers.get("content-length", -1))


class Crowd:
    """Makes calls and knows those it made."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._tasks: set[asyncio.Task[None]] = set()

    def call(
        self, port: int, key: str, text: str, *, after: float = 0.0, body: bytes | None = None, **fields: Any
    ) -> Call:
        """Ask for a completion, `after` seconds from now, and return at once. Fields are those of the request."""
        content = question(text, **fields) if body is None else body
        lines = (
            f"POST {CHAT} HTTP/1.1",
            "host: turnpike.test",
            f"authorization: Bearer {key}",
            "content-type: application/json",
            f"content-length: {len(content)}",
            "connection: close",
        )
        call = Call(port, "\r\n".join(lines).encode() + b"\r\n\r\n" + content)
        self._loop.call_soon_threadsafe(self._start, call, after)
        return call

    def leave(self, call: Call, *, reset: bool = False, after: float = 0.0) -> float:
        """Close a call's connection under its answer, `after` seconds from now; return when that is, in Unix time."""
        self._loop.call_soon_threadsafe(self._loop.call_later, after, _close, call, reset)
        return time.time() + after

    def wait(self, calls: Iterable[Call], seconds: float = 30) -> None:
        """Return when all of these calls have ended, however they did."""
        deadline = time.monotonic() + seconds
        for call in calls:
            assert call.over.wait(max(0.0, deadline - time.monotonic())), f"no end after {seconds} s: {call.raw!r}"

    async def close(self) -> None:
        """Cut off whoever is still there."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, call: Call, after: float) -> None:
        task = self._loop.create_task(_carry_out(call, after))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


@contextmanager
def gathered() -> Iterator[Crowd]:
    """A crowd for the length of the block; all its connections end with it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="crowd")
    thread.start()
    crowd = Crowd(loop)
    try:
        yield crowd
    finally:
        asyncio.run_coroutine_threadsafe(crowd.close(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def wait_for_output(calls: Iterable[Call], pieces: int = 1, within: float = 20) -> None:
    """Return when some content of every one of these streams has come."""
    for call in calls:
        eventually(lambda: call.outputs >= pieces, within)  # noqa: B023 - called before the next round


async def _carry_out(call: Call, after: float) -> None:
    try:
        await asyncio.sleep(after)
        reader, call.writer = await asyncio.open_connection("127.0.0.1", call.port)
        call.writer.write(call.request)
        while data := await reader.read(1 << 16):
            call.raw += data
    except OSError:
        pass  # Refused or reset: what has come by then is the call's end.
    finally:
        call.ended_at = time.time()
        if call.writer is not None:
            call.writer.close()
            with suppress(OSError):
                await call.writer.wait_closed()
        call.over.set()


def _close(call: Call, reset: bool) -> None:
    if call.writer is None:
        return
    if reset:
        call.writer.transport.abort()
    else:
        call.writer.close()


def _dechunked(rest: bytes) -> tuple[bytes, bool]:
    body = bytearray()
    while True:
        line, found, after = rest.partition(b"\r\n")
        if not found or not line:
            return bytes(body), False
        size = int(line, 16)
        if not size:
            return bytes(body), after == b"\r\n"
        body += after[:size]
        if len(after) < size + 2:
            return bytes(body), False
        rest = after[size + 2 :]
