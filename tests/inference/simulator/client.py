"""A client that sees bytes: what an HTTP library would repair or hide, a test of faults must see."""

import json
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
CHAT = "/v1/chat/completions"
COMPLETIONS = "/v1/completions"


@dataclass
class Reply:
    """One response, taken apart."""

    status: int
    headers: dict[str, str]
    body: bytes
    chunks: list[bytes] = field(default_factory=list)
    whole: bool = True
    reset: bool = False

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def data(self) -> list[str]:
        """The data of each event."""
        events = self.body.decode().replace("\r\n", "\n").split("\n\n")
        lines = [line for event in events for line in event.split("\n")]
        return [line.removeprefix("data:").removeprefix(" ") for line in lines if line.startswith("data:")]

    @property
    def events(self) -> list[Any]:
        """The JSON events, without the end markers."""
        return [json.loads(data) for data in self.data if data != "[DONE]"]

    @property
    def deltas(self) -> list[str]:
        """The texts of the content events."""
        texts = [choice["delta"].get("content") for event in self.events for choice in event.get("choices", ())]
        return [text for text in texts if text]


class Wire:
    """One connection."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.received = b""
        self.reset = False

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        lines = {"host": "sim", "content-type": "application/json", "content-length": str(len(body)), **(headers or {})}
        head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self.socket.sendall(head.encode() + b"\r\n" + body)

    def read(self) -> bool:
        """Take what comes next; False at the end of the connection."""
        try:
            data = self.socket.recv(1 << 20)
        except ConnectionResetError:
            self.reset = True
            return False
        self.received += data
        return bool(data)

    def read_until(self, marker: bytes) -> None:
        while marker not in self.received:
            assert self.read(), f"the connection ended before {marker!r}: {self.received!r}"

    def reply(self) -> Reply:
        """The next response, or what there is of it when the connection ends."""
        while b"\r\n\r\n" not in self.received:
            if not self.read():
                return Reply(0, {}, self.received, whole=False, reset=self.reset)
        head, _, self.received = self.received.partition(b"\r\n\r\n")
        status_line, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        reply = Reply(int(status_line.split()[1]), headers, b"")
        reply.whole = self._chunked(reply) if "transfer-encoding" in headers else self._fixed(reply)
        reply.reset = self.reset
        return reply

    def _fixed(self, reply: Reply) -> bool:
        length = int(reply.headers["content-length"])
        while len(self.received) < length and self.read():
            pass
        reply.body, self.received = self.received[:length], self.received[length:]
        return len(reply.body) == length

    def _chunked(self, reply: Reply) -> bool:
        at, body = 0, bytearray()
        try:
            while True:
                end = self._find(b"\r\n", at)
                size = int(self.received[at:end], 16)
                start, at = end + 2, end + 2 + size + 2
                self._fill(at)
                if not size:
                    return True
                reply.chunks.append(self.received[start : start + size])
                body += reply.chunks[-1]
        except EOFError:
            return False
        finally:
            reply.body, self.received = bytes(body), self.received[at:]

    def _find(self, marker: bytes, start: int) -> int:
        while (found := self.received.find(marker, start)) < 0:
            if not self.read():
                raise EOFError
        return found

    def _fill(self, length: int) -> None:
        while len(self.received) < length:
            if not self.read():
                raise EOFError


@dataclass
class Simulated:
    """A running simulator."""

    port: int
    process: subprocess.Popen[str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wire(self) -> Wire:
        return Wire(self.port)

    def call(self, method: str, path: str, body: bytes = b"", **headers: str) -> Reply:
        with self.wire() as wire:
            wire.send(method, path, body, headers)
            return wire.reply()

    def ask(self, text: str, path: str = CHAT, *, request_id: str = "", **fields: Any) -> Reply:
        """Ask for a completion and take the answer to its end."""
        with self.wire() as wire:
            wire.send("POST", path, question(text, path, **fields), {"x-request-id": request_id or str(uuid.uuid4())})
            return wire.reply()

    def post(self, path: str, *, request_id: str = "", headers: dict[str, str] | None = None, **members: Any) -> Reply:
        """Send a body of these members, the model named, and take the answer to its end."""
        body = json.dumps({"model": "sim", **members}).encode()
        with self.wire() as wire:
            wire.send("POST", path, body, {"x-request-id": request_id or str(uuid.uuid4()), **(headers or {})})
            return wire.reply()

    @contextmanager
    def asking(self, text: str, request_id: str = "", **fields: Any) -> Iterator[Wire]:
        """Ask for a completion and leave the connection to the test."""
        with self.wire() as wire:
            wire.send("POST", CHAT, question(text, **fields), {"x-request-id": request_id or str(uuid.uuid4())})
            yield wire

    def witness(self) -> Any:
        return self.call("GET", "/witness").json

    def record(self, request_id: str, *, ended: bool = True) -> Any:
        """The witness's record of one request, once it is there and, if wanted, ended."""
        return eventually(lambda: self._record(request_id, ended))

    def _record(self, request_id: str, ended: bool) -> Any:
        records = [record for record in self.witness()["requests"] if record["request_id"] == request_id]
        return records[-1] if records and (records[-1]["ended_at"] or not ended) else None


def question(text: str, path: str = CHAT, **fields: Any) -> bytes:
    prompt = {"messages": [{"role": "user", "content": text}]} if path == CHAT else {"prompt": text}
    return json.dumps({"model": "sim", **prompt, **fields}).encode()


def eventually(found: Callable[[], Any], within: float = 5.0) -> Any:
    """What `found` gives, as soon as that is something."""
    until = time.monotonic() + within
    while not (value := found()):
        assert time.monotonic() < until, "it did not come to that in time"
        time.sleep(0.01)
    return value


@contextmanager
def simulator(*flags: str) -> Iterator[Simulated]:
    """A simulator of this test's own."""
    command = [sys.executable, "-m", "inference.simulator", "--port", "0", *flags]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=os.environ) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            yield Simulated(int(line.rpartition(":")[2]), process)
        finally:
            process.terminate()
