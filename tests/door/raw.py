"""A client that sends any bytes on a plain socket, and reads what is answered, answer by answer."""

from __future__ import annotations

import json
import socket
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

SECONDS = 15.0
"""A test that waits for longer than this has found something."""


@dataclass
class Answer:
    """One whole answer."""

    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False, default=b"")

    @property
    def code(self) -> str | None:
        """The code of an error in OpenAI's shape; None for an answer without a body, which is the server's own."""
        return self.json["error"]["code"] if self.body else None

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Line:
    """A connection to a server."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
        self._rest = b""

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *exception: object) -> None:
        self._socket.close()

    def send(self, data: bytes) -> None:
        """Send all of it, unless the server has hung up before."""
        with suppress(ConnectionError):
            self._socket.sendall(data)

    def finish(self) -> None:
        """Say that nothing more will come, and go on reading."""
        self._socket.shutdown(socket.SHUT_WR)

    def answer(self, *, to_head: bool = False) -> Answer | None:
        """Read the next answer, without interim ones; None if the connection ends before it begins."""
        while True:
            head = self._until(b"\r\n\r\n")
            if head is None:
                return None
            first, *lines = head.decode("latin-1").split("\r\n")
            pairs = (line.partition(": ") for line in lines if line)
            found = Answer(int(first.split(" ")[1]), {name.lower(): value for name, _, value in pairs})
            if found.status < 200:
                continue
            if not to_head and found.status != 204:
                found.body = self._body(found)
            return found

    def ended(self) -> bool:
        """Wait for the connection's end; False if anything else comes."""
        return not self._rest and not self._receive()

    def _body(self, answer: Answer) -> bytes:
        if answer.headers.get("transfer-encoding") != "chunked":
            return self._exactly(int(answer.headers["content-length"]))
        body = b""
        while size := int(self._until(b"\r\n") or b"0", 16):
            body += self._exactly(size + 2)[:-2]
        self._exactly(2)
        return body

    def _until(self, mark: bytes) -> bytes | None:
        while mark not in self._rest:
            if not self._receive():
                return None
        found, _, self._rest = self._rest.partition(mark)
        return found

    def _exactly(self, size: int) -> bytes:
        while len(self._rest) < size:
            assert self._receive(), "the connection ended within an answer"
        found, self._rest = self._rest[:size], self._rest[size:]
        return found

    def _receive(self) -> bool:
        try:
            data = self._socket.recv(1 << 16)
        except ConnectionResetError:
            return False
        self._rest += data
        return bool(data)
