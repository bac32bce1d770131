"""A whole running Turnpike for tests: real server processes, two simulators, a database of its own.

One serves all tests of a session that ask for the fixture `installation`; each test founds an organisation of its own
with it, by the code of `manage.py demo`.
"""

import json
import os
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

from billing import reconciliation
from config.local import catalogue, demo, engines, ports, processes, programs
from foundation.money import nano
from keys.effective import Limits
from tests.databases import Database, aside
from tests.own_servers import HERE

_SIMULATOR_SPEED = "20"  # divides the delays that no directive names
_numbers = count(1)
MODELS = sorted(offer.id for offer in catalogue.offers(engines.Kind.SIMULATOR))
"""What is for sale on it, in the order in which it is listed."""
_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


@dataclass(frozen=True)
class Tenant:
    """An organisation of one test's own."""

    id: str
    """The organisation's UUID, as the tables have it."""
    api_key: str
    management_key: str
    base_url: str


@dataclass(frozen=True)
class Server:
    """A server with its worker processes. All of them make one session, which `kill` ends at once."""

    process: processes.Running
    port: int

    @property
    def url(self) -> str:
        return f"http://{ports.HOST}:{self.port}"

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    @property
    def pids(self) -> list[int]:
        """The main process and, behind it, its workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [self.process.pid, *map(int, children.split())]

    @property
    def log(self) -> str:
        return self.process.log.read_text()

    def kill(self) -> None:
        """As `kill -9` and a power cut do: nothing of it runs another instruction."""
        self.process.kill()

    def terminate(self) -> None:
        """Ask it to drain and leave; `wait` for it."""
        self.process.ask_to_stop()

    def wait(self, seconds: float = 60) -> int:
        """Return its exit status."""
        return self.process.process.wait(seconds)

    def stop(self) -> None:
        self.process.stop()


class Installation:
    """What runs, and how a test reaches it. Use `running()` to make one."""

    def __init__(
        self, database: Database, unblocked: Callable[[], AbstractContextManager[None]], stack: ExitStack
    ) -> None:
        self.database = database
        self._unblocked = unblocked
        self._stack = stack
        self._run = HERE.run / database.name
        self._run.mkdir()
        self._replicas = self._start_simulators()
        with self._in_database():
            catalogue.offer(engines.Kind.SIMULATOR, self.simulator_urls)
        self.server = self.spawn_server()

    @property
    def base_url(self) -> str:
        """Of the OpenAI-compatible API, on the server that always runs."""
        return self.server.base_url

    @property
    def simulator_urls(self) -> list[str]:
        return [replica.url for replica in self._replicas]

    def organization(
        self,
        *,
        name: str = "Acme",
        credit: str = "10",
        rpm: int | None = None,
        tpm: int | None = None,
        concurrency: int | None = None,
        budget: str | None = None,
        window: str | None = None,
        models: list[str] | None = None,
    ) -> Tenant:
        """Found an organisation. Amounts are USD as text; in limits 0 blocks, and without one there is none."""
        limits = Limits(
            rpm=rpm,
            tpm=tpm,
            concurrency=concurrency,
            allowed_models=None if models is None else frozenset(models),
            budget_nusd=None if budget is None else nano(budget),
            budget_window=window,
        )
        with self._in_database():
            founded = demo.found(name=name, credit=Decimal(credit), limits=limits, with_owner=False)
        return Tenant(str(founded.organization.pk), founded.api_key, founded.management_key, self.base_url)

    def django(self) -> AbstractContextManager[None]:
        """Use Django's models and our domain functions on this installation's database inside the block."""
        return self._in_database()

    def sql(self, query: str, *parameters: object) -> list[tuple]:
        """Run a query as the owner, who sees every row, and return the rows."""
        return self.database.sql(query, *parameters)

    def verify_ledger(self) -> list[reconciliation.Difference]:
        """Return what is wrong with the books: nothing, or the test has found something."""
        with self._in_database():
            return reconciliation.verify_all()

    def witness(self) -> list[dict[str, Any]]:
        """Return what the simulators saw: one entry for each request, in order of arrival."""
        reports = [_json("GET", f"{url}/witness") for url in self.simulator_urls]
        return sorted(
            (entry for report in reports for entry in report["requests"]), key=lambda entry: entry["started_at"]
        )

    def clear_witness(self) -> None:
        for url in self.simulator_urls:
            _json("DELETE", f"{url}/witness")

    def spawn_server(self, **settings: str) -> Server:
        """Start one more server on the same stores, with settings of its own if given, and wait until it is ready."""
        port = ports.free()
        name = f"server-{next(_numbers)}"
        env = self._environment(PORT=str(port), PROMETHEUS_MULTIPROC_DIR=str(self._run / f"{name}-metrics"), **settings)
        server = Server(self._start(replace(programs.server(env), name=name)), port)
        ready = lambda: ports.answers(port, "/readyz")  # noqa: E731 - a name for the next line
        processes.wait_until_ready(server.process, ready, seconds=60, pause=time.sleep)
        return server

    def spawn_worker(self, **settings: str) -> processes.Running:
        """Start Celery's worker with its clock inside, so that holds are reaped, rollups made, replicas probed."""
        program = programs.worker(self._environment(**settings))
        command = [*program.command, "--beat", "--schedule", str(self._run / "beat")]
        return self._start(replace(program, name=f"worker-{next(_numbers)}", command=command))

    def _start_simulators(self) -> list[engines.Replica]:
        found = engines.replicas(engines.Kind.SIMULATOR, near=ports.free(), env=self._environment())
        for replica in found:
            program = replica.program
            command = [*program.command, "--speed", _SIMULATOR_SPEED]
            child = self._start(replace(program, name=f"{program.name}-{self.database.name}", command=command))
            processes.wait_until_ready(child, replica.ready, seconds=30, pause=time.sleep)
        return found

    def _start(self, program: processes.Program) -> processes.Running:
        child = processes.start(program, logs=HERE.logs, run=self._run)
        self._stack.callback(child.stop)
        return child

    def _environment(self, **settings: str) -> dict[str, str]:
        own = {"DATABASE_URL": self.database.url, "HOST": ports.HOST, "WEB_CONCURRENCY": "1", "DRAIN_SECONDS": "5"}
        return {**os.environ, **own, **settings}

    @contextmanager
    def _in_database(self) -> Iterator[None]:
        with self._unblocked(), aside(self.database):
            yield


@contextmanager
def running(database: Database, unblocked: Callable[[], AbstractContextManager[None]]) -> Iterator[Installation]:
    """Start an installation on a database, and stop every process of it in the end, in the order of `make up`."""
    with ExitStack() as stack:
        yield Installation(database, unblocked, stack)


def _json(method: str, url: str) -> Any:
    with _open(urllib.request.Request(url, method=method), timeout=10) as answer:
        return json.loads(answer.read() or "null")
