"""The way out of one connection: writes, holds together or cuts apart, and says when everything has left."""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Callable, Iterable


class Outlet:
    """Keeps the order of what is written, whichever way it is written."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        # With a limit of zero the transport calls back for every byte the kernel did not take at once,
        # so what counts as written here has left the process.
        transport.set_write_buffer_limits(high=0)
        self._transport = transport
        self._loop = loop
        self._paused = False
        self._corked = False
        self._held: list[bytes] = []
        self._pieces: deque[bytes] = deque()
        self._turn_taken = False
        self._waiting: Callable[[], None] | None = None

    def cork(self) -> None:
        """Hold writes together until `flush`."""
        self._corked = True

    def flush(self) -> None:
        """Send what was held together as one write."""
        self._corked = False
        if self._held:
            data, self._held = b"".join(self._held), []
            self._send(data)

    def write(self, data: bytes) -> None:
        """Send, after what was given before."""
        if self._corked:
            self._held.append(data)
        else:
            self._send(data)

    def write_pieces(self, pieces: Iterable[bytes]) -> None:
        """Send each piece as a write of its own, one for each turn of the event loop."""
        self.flush()
        self._pieces.extend(pieces)
        self._send_piece()

    def when_drained(self, callback: Callable[[], None]) -> None:
        """Call back once all that was written has left; at once if it has. There is one waiter at a time."""
        if self._paused or self._pieces or self._turn_taken:
            self._waiting = callback
        else:
            callback()

    def pause(self) -> None:
        """The kernel takes no more: the peer does not read."""
        self._paused = True

    def resume(self) -> None:
        """The kernel has taken everything."""
        self._paused = False
        self._send_piece()

    def close(self) -> None:
        """End with FIN, after everything written has left."""
        self.flush()
        self.when_drained(self._transport.close)

    def reset(self) -> None:
        """End with RST, at once."""
        self.flush()
        connection: socket.socket | None = self._transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def lost(self) -> None:
        """The connection is gone: nothing is sent and nobody called any more."""
        self._pieces.clear()
        self._held.clear()
        self._waiting = None

    def _send(self, data: bytes) -> None:
        if self._pieces or self._turn_taken:
            self._pieces.append(data)
        elif not self._transport.is_closing():
            self._transport.write(data)

    def _send_piece(self) -> None:
        if self._turn_taken or self._paused or self._transport.is_closing():
            return
        if self._pieces:
            self._turn_taken = True
            self._transport.write(self._pieces.popleft())
            self._loop.call_soon(self._next_turn)
        else:
            self._tell()

    def _next_turn(self) -> None:
        self._turn_taken = False
        self._send_piece()

    def _tell(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting()
