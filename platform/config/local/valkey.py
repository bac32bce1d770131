"""An embedded Valkey 9 on a private unix socket."""

from collections.abc import Callable
from urllib.parse import quote

import redis

from config.local import processes, wheels
from config.local.errors import explain
from config.local.places import Places

# Limits and queues survive a restart: every write goes to the append-only file, which is synced once a second.
_SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "appendonly": "yes",
    "appendfsync": "everysec",
    "save": "",
    "maxmemory-policy": "noeviction",  # losing a concurrency lease to make room would be worse than an error
    "daemonize": "no",
}


def url(places: Places) -> str:
    """Return the address of this installation's Valkey."""
    return f"unix://{quote(str(places.valkey_socket))}"


def start(places: Places, *, pause: Callable[[float], None]) -> processes.Running:
    """Start the server. Raises CannotStart."""
    try:
        places.valkey.mkdir(mode=0o700, parents=True, exist_ok=True)
        places.valkey_socket.unlink(missing_ok=True)
    except OSError as error:
        raise explain(error, places.data) from error
    settings = _SETTINGS | {"unixsocket": str(places.valkey_socket), "dir": str(places.valkey)}
    options = [part for name, value in settings.items() for part in (f"--{name}", value)]
    program = processes.Program(
        name="valkey",
        command=[wheels.valkey_server(), *options],
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
        cwd=places.valkey,
    )
    child = processes.start(program, logs=places.logs, run=places.run)
    processes.wait_until_ready(child, lambda: _answers(places), seconds=60, pause=pause)
    return child


def _answers(places: Places) -> bool:
    """A server that still loads its file refuses commands, PING among them."""
    client = redis.Redis(unix_socket_path=str(places.valkey_socket))
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()
