"""One client's connection: requests in, one answer at a time out, and the news when the client leaves."""

import asyncio
from typing import cast

from inference.simulator import routes
from inference.simulator.engine import Engine
from inference.simulator.generation import Generation
from inference.simulator.outlet import Outlet
from inference.simulator.protocol import MAX_BODY, ProtocolError, RequestParser


class Connection(asyncio.Protocol):
    """Speaks HTTP/1.1 with keep-alive; pipelined requests are answered in order."""

    _outlet: Outlet
    _transport: asyncio.Transport

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._parser = RequestParser()
        self._generation: Generation | None = None
        self._keep_alive = True
        self._pumping = False
        self._closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        self._transport = cast(asyncio.Transport, transport)
        self._outlet = Outlet(self._transport, self._engine.loop)

    def data_received(self, data: bytes) -> None:
        """The client sent bytes."""
        self._parser.feed(data)
        if self._generation is None:
            self._pump()
        elif self._parser.backlog > MAX_BODY:
            # Reading must go on during an answer, or a client that leaves would not be noticed:
            # so what arrives meanwhile is bounded here and not by back-pressure.
            self._transport.abort()

    def eof_received(self) -> None:
        """The client closed its side: like vLLM's server, take that for leaving."""
        self._leave()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, whoever ended it."""
        self._closed = True
        self._outlet.lost()
        self._leave()

    def pause_writing(self) -> None:
        """The client reads more slowly than we write."""
        self._outlet.pause()

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._outlet.resume()

    def _leave(self) -> None:
        generation, self._generation = self._generation, None
        if generation is not None:
            self._closed = True
            generation.client_gone()

    def _pump(self) -> None:
        if self._pumping:
            return
        self._pumping = True
        try:
            while self._generation is None and not self._closed and self._next():
                pass
        except ProtocolError as error:
            routes.refuse(self._outlet, error.status, str(error))
            self._closed = True
            self._outlet.close()
        finally:
            self._pumping = False

    def _next(self) -> bool:
        """Start on the next request; False if none is whole yet."""
        request = self._parser.next_request()
        if request is None:
            if self._parser.take_expectation():
                self._outlet.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            return False
        self._keep_alive = request.keep_alive
        self._generation = routes.answer(self._engine, request, self._outlet, self._done)
        if self._generation is not None:
            self._generation.accept()
        else:
            self._done()
        return True

    def _done(self) -> None:
        """The answer is written: on to the next request, or goodbye."""
        self._generation = None
        if self._keep_alive:
            self._pump()
        else:
            self._closed = True
            self._outlet.close()
