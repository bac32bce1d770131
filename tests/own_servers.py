"""A PostgreSQL and a Valkey of the tests' own, in a temporary folder, for this process alone.

Loaded as an early plugin (`-p tests.own_servers`), for Django reads its settings ahead of any conftest: by then the
addresses stand in the environment. The servers start when a fixture first asks for them, and end with the session.
"""

import atexit
import os
import shutil
import tempfile
import time
from pathlib import Path

from config.local import places, postgres, processes, valkey

_FOLDER = Path(tempfile.mkdtemp(prefix="turnpike-tests-"))
HERE = places.at(_FOLDER)

os.environ.update(
    ENVIRONMENT="test",
    DATABASE_URL=postgres.url(HERE),
    REDIS_URL=valkey.url(HERE),
    SECRET_KEY="only-for-tests-" + "x" * 50,
    KEY_PEPPER="only-for-tests-" + "y" * 50,
    METRICS_TOKEN="only-for-tests-" + "z" * 16,
)


def start_postgres() -> processes.Running:
    """Start this process's own PostgreSQL: real, but without fsync: nobody needs a test's data after a power cut."""
    places.prepare(HERE)
    server = postgres.start(HERE, pause=time.sleep, settings=postgres.NOT_DURABLE)
    postgres.make_roles(HERE)
    return server


def start_valkey() -> processes.Running:
    """Start this process's own Valkey."""
    places.prepare(HERE)
    return valkey.start(HERE, pause=time.sleep)


def pytest_unconfigure() -> None:
    _remove()


@atexit.register
def _remove() -> None:
    shutil.rmtree(HERE.data, ignore_errors=True)
    places.forget_sockets(HERE)
