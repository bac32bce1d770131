"""The web server: `python -m config.server` serves `config.asgi:application` by Granian on HOST and PORT.

A main process supervises WEB_CONCURRENCY workers, each with its own listening socket and event loop. It hands SIGTERM
on to every worker, which drains as draining.py tells; on SIGHUP it replaces the workers one after the other.
"""

import gc
import os
import resource
import signal
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Final

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

# Request heads: 32 KB (architecture §4.4). The gateway counts more exactly; this is the wall.
BUFFER_BYTES: Final = 64 * 1024
# After the drain a worker still waits for pages, and for a client that is slow with its next request's head.
KILL_MARGIN_SECONDS: Final = 20

# Granian's own lines take the way of every other library's, instead of its format.
_LOGGING: Final[dict[str, Any]] = {
    "formatters": {},
    "handlers": {},
    "loggers": {"_granian": {"handlers": [], "propagate": True}},
}


def main(load: Callable[[], Callable[..., Any]] | None = None) -> None:
    """Serve until told to stop; `load` returns the application, in each worker."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    with ExitStack() as stack:
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="turnpike-metrics-"))
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        _raise_the_limit_of_open_files()
        _server().serve(target_loader=load or load_application, wrap_loader=False)


def load_application() -> Callable[..., Any]:
    """Return the application; runs in each worker, before Granian sets the worker's signal handlers."""
    # A forked worker has its main process's handlers, which do nothing in it: a SIGTERM now would be lost for good.
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, signal.SIG_DFL)
    from config.asgi import application  # noqa: PLC0415 - in the worker: the main process stays small

    # What is alive now lives as long as the process. Looking at it again and again cost a tenth of every request.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 1000)
    return application


def _server() -> MPServer:
    # Here, because both settle where metrics are written, for which the folder has to be known. Draining is imported in
    # the main process so that its workers share the announcement of the end.
    from django.conf import settings  # noqa: PLC0415 - after the folder is known

    from config import draining  # noqa: F401, PLC0415 - shared by being imported
    from foundation import logs  # noqa: PLC0415 - after the folder is known

    logs.configure(settings.LOG_LEVEL)
    return MPServer(
        "config.asgi:application",
        address=settings.HOST,
        port=settings.PORT,
        interface=Interfaces.ASGI,
        workers=settings.WEB_CONCURRENCY,
        # HTTP/2 ends at the proxy (docs/decisions/0009-http-1-behind-a-proxy.md).
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(
            header_read_timeout=settings.REQUEST_HEAD_SECONDS * 1000, max_buffer_size=BUFFER_BYTES
        ),
        websockets=False,
        backlog=2048,
        # Connections of one worker, idle ones included.
        backpressure=settings.MAX_CONNECTIONS,
        workers_kill_timeout=settings.DRAIN_NOTICE_SECONDS + settings.DRAIN_SECONDS + KILL_MARGIN_SECONDS,
        respawn_failed_workers=True,
        log_level=LogLevels.info,
        log_dictconfig=_LOGGING,
    )


def _raise_the_limit_of_open_files() -> None:
    # Two sockets for each stream: the usual soft limit of 1,024 ends at 500 of them.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    main()
