"""A small real engine that answers probes as it is told, on a port of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Engine:
    """What it answers next, and what it was asked."""

    url: str = ""
    status: int = 200
    silence: float = 0.0
    trickle: float = 0.0
    asked: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


@contextmanager
def engine(**facts) -> Iterator[Engine]:
    """Run one."""
    told = Engine(**facts)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(told))
    server.daemon_threads = True
    told.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(told: Engine) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with told.lock:
                told.asked.append(self.path)
            time.sleep(told.silence)
            if told.trickle:
                self._trickle()
                return
            self.send_response(told.status)
            if told.status in {301, 302}:
                self.send_header("location", "/elsewhere")
            self.send_header("content-length", "0")
            self.end_headers()

        def _trickle(self) -> None:
            """Send a status line, and then a byte of headers now and then."""
            try:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nx-slow: ")
                for _ in range(100):
                    self.wfile.write(b"z")
                    self.wfile.flush()
                    time.sleep(told.trickle)
            except OSError:
                return

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler
