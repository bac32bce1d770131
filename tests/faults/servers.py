"""Servers of one test's own on the installation's stores, and what their processes use."""

import re
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from django.conf import settings

from tests.installation import Installation, Server

_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


@contextmanager
def serving(installation: Installation, number: int = 1, **env: str) -> Iterator[list[Server]]:
    """Start so many servers for the length of the block, each its own process with its own port."""
    with ExitStack() as stack:
        servers = []
        for _ in range(number):
            servers.append(installation.spawn_server(**env))
            stack.callback(servers[-1].stop)
        yield servers


def threads(server: Server) -> int:
    """Count the threads of a server and its workers."""
    return sum(_status(pid, "Threads") for pid in server.pids)


def resident_mb(server: Server) -> float:
    """Return the memory that a server and its workers occupy, each counted alone."""
    return sum(_status(pid, "VmRSS") for pid in server.pids) / 1024


def metric(server: Server, name: str) -> float:
    """Return the sum of a metric over its labels, as `/metrics` shows it."""
    request = urllib.request.Request(f"{server.url}/metrics", headers=_TOKEN)
    with _open(request, timeout=10) as answer:
        text = answer.read().decode()
    return sum(float(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE))


_TOKEN = {"authorization": f"Bearer {settings.METRICS_TOKEN}"}


def _status(pid: int, name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found
    return int(found[1])
