"""The simulator as a process: listens on the loopback interface, says where, and ends at once when told."""

import asyncio
import gc
import importlib
import importlib.util
import ipaddress
import resource
import signal
import sys
from collections.abc import Callable
from functools import partial

from inference.simulator.connection import Connection
from inference.simulator.engine import Engine
from inference.simulator.options import Options


class NotLoopback(ValueError):
    """The simulator has no business on a network."""


async def listen(options: Options, host: str, port: int) -> asyncio.Server:
    """Start to answer on a loopback address; port 0 takes a free one. Raises NotLoopback, OSError."""
    if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
        raise NotLoopback(f"{host} is not a loopback address")
    loop = asyncio.get_running_loop()
    engine = Engine(options, loop)
    return await loop.create_server(partial(Connection, engine), host, port, backlog=4096)


def address(server: asyncio.Server) -> str:
    """The URL at which a server listens."""
    host, port = server.sockets[0].getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(options: Options, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT; the first line of output is the address."""
    _allow_many_connections()
    _collect_rarely()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(options, host, port))


async def _serve(options: Options, host: str, port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    server = await listen(options, host, port)
    sys.stdout.write(f"listening {address(server)}\n")
    sys.stdout.flush()
    await stop.wait()
    # No wait for open connections: an engine that is told to end drops its streams.
    server.close()


def _allow_many_connections() -> None:
    """Raise the soft limit of open files to the hard one: a load test opens more connections than the usual 1,024."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _collect_rarely() -> None:
    """Keep the collector of cycles from walking a full witness every second: in a load test that is its slowest answer.

    A request leaves no cycles behind, so there is hardly anything to find.
    """
    gc.freeze()
    gc.set_threshold(100_000, 50, 1_000)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's, where it is installed: it takes less time for each request."""
    if importlib.util.find_spec("uvloop") is None:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = importlib.import_module("uvloop").new_event_loop
    return factory
