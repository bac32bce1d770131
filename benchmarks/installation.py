"""The installation under load: stores, one simulator and one server process of its own, below the data folder.

Durable as in production: PostgreSQL with fsync and synchronous commits, Valkey with its append-only file.
"""

import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import cores, resources
from benchmarks.admissions import Admissions
from benchmarks.cores import Cores
from benchmarks.interrupts import Interrupts
from benchmarks.load import Target
from config.local import engines, environment, leftovers, places, ports, postgres, programs, valkey
from config.local.errors import disk_full
from config.local.lock import Lock
from config.local.places import REPOSITORY, Places
from config.local.processes import Program, Running, start, wait_until_ready
from config.local.steps import Steps

_LEAST_FREE_BYTES = 2_000_000_000
_NOBODYS_BUSINESS = {"DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "MAKEFLAGS", "MAKELEVEL"}
SERVER = ("config.server",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """What runs, and how to reach it."""

    cores: Cores
    places: Places
    env: dict[str, str]
    direct: Target
    gateway: Target
    running: Mapping[str, Running]
    interrupts: Interrupts

    @property
    def server(self) -> Running:
        """The gateway's main process."""
        return self.running["server"]

    def pids(self, name: str) -> list[int]:
        """Return the processes of one program: for the server, its main process and its one worker."""
        pid = self.running[name].pid
        return [pid, *resources.children(pid)]

    @property
    def owner_url(self) -> str:
        """The database for one who may see everything."""
        return postgres.url(self.places, user=postgres.OWNER)

    def resident_mb(self) -> float:
        """Return the memory of the server's worker."""
        return max(resources.resident_mb(pid) for pid in resources.children(self.server.pid))

    def admissions(self) -> Admissions:
        """Return how long requests have waited for their limits and their holds so far."""
        return Admissions.read(self.gateway.port, self.env["METRICS_TOKEN"])

    def times_degraded(self) -> int:
        """Return how often the gateway has not waited any longer for Valkey, and counted limits by itself."""
        return self.server.log.read_bytes().count(b'"valkey_degraded"')

    def manage(self, *arguments: str) -> str:
        """Run a management command. Raises CannotStart when it fails."""
        return programs.manage(
            *arguments, env=self.env, log=self.places.logs / "manage.log", pause=self.interrupts.pause
        )


class Builder:
    """Starts an installation, step by step; `stack` is what stops it."""

    def __init__(self, data: Path, interrupts: Interrupts, stack: ExitStack) -> None:
        self._places = places.at(data / "bench")
        self._interrupts = interrupts
        self._stack = stack
        self._steps = Steps()
        self._cores = cores.divide()
        self._running: dict[str, Running] = {}

    def build(self, server: Sequence[str]) -> Installation:
        """Start everything and return once the gateway is ready."""
        self._clear_the_ground()
        port, engine_port = ports.free(near=8000), ports.free(near=8100)
        env = self._environment(port)
        with cores.on(self._cores.others):
            self._start_stores()
            self._start_simulator(engine_port, env)
            secret = self._fill(env, f"http://{ports.HOST}:{engine_port}")
        with self._steps.step("Server"), cores.on(self._cores.gateway):
            self._start_server(server, port, env)
        return Installation(
            cores=self._cores,
            places=self._places,
            env=env,
            direct=Target(engine_port, "none"),
            gateway=Target(port, secret),
            running=self._running,
            interrupts=self._interrupts,
        )

    def _clear_the_ground(self) -> None:
        places.prepare(self._places)
        Lock(self._places).take(self._interrupts.pause)
        leftovers.sweep(self._places.run)
        for log in self._places.logs.iterdir():
            log.unlink()
        self._forget_data()
        self._stack.callback(self._forget_data)
        self._stack.callback(places.forget_sockets, self._places)
        if shutil.disk_usage(self._places.data).free < _LEAST_FREE_BYTES:
            raise disk_full(self._places.data)

    def _forget_data(self) -> None:
        for folder in (self._places.postgres, self._places.valkey, self._places.metrics):
            shutil.rmtree(folder, ignore_errors=True)

    def _environment(self, port: int) -> dict[str, str]:
        usual = {name: value for name, value in os.environ.items() if name not in _NOBODYS_BUSINESS}
        return usual | {
            "ENVIRONMENT": "development",
            "DATABASE_URL": postgres.url(self._places),
            "REDIS_URL": valkey.url(self._places),
            "HOST": ports.HOST,
            "PORT": str(port),
            "WEB_CONCURRENCY": "1",
            "DATA": str(self._places.data),
            "PROMETHEUS_MULTIPROC_DIR": str(self._places.metrics),
            "PYTHONUNBUFFERED": "1",
            **environment.own_secrets(self._places),
        }

    def _start_stores(self) -> None:
        with self._steps.step("PostgreSQL and Valkey"):
            self._stop_later(postgres.start(self._places, pause=self._interrupts.pause))
            postgres.make_roles(self._places)
            self._stop_later(valkey.start(self._places, pause=self._interrupts.pause))

    def _start_simulator(self, port: int, env: dict[str, str]) -> None:
        command = [sys.executable, "-m", "inference.simulator", "--port", str(port), "--model", engines.SIMULATED_MODEL]
        with self._steps.step("Simulator"):
            child = self._launch(Program(name="simulator", command=command, env=env, cwd=REPOSITORY))
            wait_until_ready(child, lambda: ports.answers(port, "/health"), seconds=60, pause=self._interrupts.pause)

    def _fill(self, env: dict[str, str], engine_url: str) -> str:
        """Migrate and found; return the key's secret."""
        log, pause = self._places.logs / "manage.log", self._interrupts.pause
        owner = env | {"DATABASE_URL": postgres.url(self._places, user=postgres.OWNER)}
        with self._steps.step("Migrations"):
            programs.manage("migrate", "--no-input", env=owner, log=log, pause=pause)
        with self._steps.step("Organisation, key, catalogue"):
            script = f"from benchmarks import founding; founding.main({engine_url!r})"
            return programs.manage("shell", "--no-imports", "-c", script, env=env, log=log, pause=pause).strip()

    def _start_server(self, module: Sequence[str], port: int, env: dict[str, str]) -> None:
        command = [sys.executable, "-m", *module]
        child = self._launch(replace(programs.server(env), command=command))
        wait_until_ready(child, lambda: ports.answers(port, "/readyz"), seconds=60, pause=self._interrupts.pause)

    def _launch(self, program: Program) -> Running:
        child = start(program, logs=self._places.logs, run=self._places.run)
        self._stop_later(child)
        return child

    def _stop_later(self, child: Running) -> None:
        self._running[child.program.name] = child
        self._stack.callback(child.stop, hurry=self._interrupts.in_a_hurry)


@contextmanager
def running(data: Path, interrupts: Interrupts, *, server: Sequence[str] = SERVER) -> Iterator[Installation]:
    """Keep an installation running; `server` is the module of the server and its arguments. Raises CannotStart."""
    # Others may pass through, for PostgreSQL runs as somebody else where we are root; what is below is its owner's.
    data.mkdir(mode=0o711, parents=True, exist_ok=True)
    os.umask(0o077)
    with ExitStack() as stack:
        yield Builder(data, interrupts, stack).build(server)
