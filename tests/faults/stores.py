"""A PostgreSQL and a Valkey of one test's own, which may be stopped, frozen and killed."""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from django.db import connections

from config.local import catalogue, engines, places, postgres, processes, programs, valkey
from config.local.places import Places
from tests.databases import Database
from tests.installation import Installation


@dataclass
class Store:
    """One server that a test takes away, in one of three ways, and brings back."""

    start: Callable[[], processes.Running]
    running: processes.Running

    def go(self, how: str) -> None:
        """Stop in order (`stopped`), die at once (`killed`), or answer nothing any more (`frozen`)."""
        if how == "stopped":
            self.running.stop()
        else:
            self._signal(signal.SIGKILL if how == "killed" else signal.SIGSTOP)
            if how == "killed":
                self.running.kill()

    def come_back(self) -> None:
        """Be there again, whichever way it went."""
        if self.running.alive:
            self._signal(signal.SIGCONT)
        else:
            self.running = self.start()

    def _signal(self, number: signal.Signals) -> None:
        # PostgreSQL's processes each lead a session of their own, so a signal to the group reaches only the first.
        children = Path(f"/proc/{self.running.pid}/task/{self.running.pid}/children").read_text()
        for pid in (self.running.pid, *map(int, children.split())):
            with suppress(ProcessLookupError):
                os.kill(pid, number)


@contextmanager
def own_valkey() -> Iterator[tuple[Store, str]]:
    """A Valkey for the length of the block, and its address."""
    with _own_places() as here:
        start = lambda: valkey.start(here, pause=time.sleep)  # noqa: E731 - a name for what is done again
        with _running(start) as store:
            yield store, valkey.url(here)


@contextmanager
def own_postgres(beside: Installation) -> "Iterator[tuple[Store, Apart]]":
    """A PostgreSQL for the length of the block, and an installation on it that shares the rest with another one."""
    with _own_places() as here, ExitStack() as stack:
        start = lambda: postgres.start(here, pause=time.sleep, settings=postgres.NOT_DURABLE)  # noqa: E731 - as above
        store = stack.enter_context(_running(start))
        postgres.make_roles(here)
        log = here.logs / "manage.log"
        owner = {"DATABASE_URL": postgres.url(here, user=postgres.OWNER)}
        programs.manage("migrate", "--no-input", env={**os.environ, **owner}, log=log, pause=time.sleep)
        yield store, Apart(here, beside, stack)


@dataclass(frozen=True)
class _OwnDatabase(Database):
    """The database of a PostgreSQL of its own."""

    here: Places

    @property
    def url(self) -> str:
        return postgres.url(self.here)

    @property
    def owner_url(self) -> str:
        return postgres.url(self.here, user=postgres.OWNER)


class Apart(Installation):
    """An installation that has its own PostgreSQL, but the simulators and the Valkey of another one; no server yet."""

    @property
    def postgres_socket(self) -> Path:
        """Where its server listens."""
        return self._socket / ".s.PGSQL.5432"

    def __init__(self, here: Places, beside: Installation, stack: ExitStack) -> None:
        self.database = _OwnDatabase(postgres.DATABASE, here)
        self._socket = here.postgres_socket
        self._unblocked = beside._unblocked
        self._stack = stack
        self._run = here.run
        self._replicas = beside._replicas
        self.server = beside.server  # of the other one: it is only asked for its address
        with self._in_database():
            catalogue.offer(engines.Kind.SIMULATOR, self.simulator_urls)

    @contextmanager
    def _in_database(self) -> Iterator[None]:
        with self._unblocked():
            usual = connections["default"]
            other = usual.copy()
            other.settings_dict.update(HOST=str(self._socket), NAME=postgres.DATABASE)
            connections["default"] = other
            try:
                yield
            finally:
                other.close()
                connections["default"] = usual


@contextmanager
def _running(start: Callable[[], processes.Running]) -> Iterator[Store]:
    store = Store(start, start())
    try:
        yield store
    finally:
        store.come_back()
        store.running.stop()


@contextmanager
def _own_places() -> Iterator[Places]:
    folder = Path(tempfile.mkdtemp(prefix="turnpike-faults-"))
    here = places.at(folder)
    places.prepare(here)
    try:
        yield here
    finally:
        places.forget_sockets(here)
        shutil.rmtree(folder, ignore_errors=True)
