"""The story of `make up`: start everything in order, watch over it, and stop it in order.

1. take the data folder for this launcher alone, and end what an earlier one left running
2. PostgreSQL and Valkey; the engine, which loads its model while the database is migrated
3. migrations, demo data, Celery's worker and beat, the server
4. say where everything is, and watch
5. at the end: the server first, which lets requests come to their end, then worker and beat, the engine, the stores
"""

import os
import shutil
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from config.local import engines, environment, leftovers, places, ports, postgres, programs, valkey
from config.local.errors import CannotStart, Stopped, disk_full, explain
from config.local.lock import AlreadyRunning, Lock
from config.local.processes import Program, Running, follow_the_parent, start, stop_all, wait_until_ready, why_it_died
from config.local.steps import Steps, complain, say
from config.local.summary import summary

_WATCH_SECONDS = 0.25
_MOST_RESTARTS = 20
_LEAST_FREE_BYTES = 300_000_000
_ENGINE_PORTS_ABOVE = 100
_STOP_FIRST = (("server",), ("worker", "beat"))
_STOP_LAST = (("valkey",), ("postgres",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the caller asked for."""

    data: Path
    port: int
    engine: engines.Kind
    workers: int


class Launcher:
    """One installation, from its start to its end."""

    def __init__(self, wish: Wish) -> None:
        self._wish = wish
        self._places = places.at(wish.data)
        self._steps = Steps()
        self._running: dict[str, Running] = {}
        self._replicas: list[engines.Replica] = []
        self._restarts = 0
        self._interrupts = 0
        self._env: dict[str, str] = {}

    def run(self) -> int:
        """Start, watch, stop; return the exit status."""
        with suppress(OSError):  # `prepare` says what is wrong with it
            # Above the data folder others must be able to pass: PostgreSQL may run as somebody else.
            self._places.data.parent.mkdir(parents=True, exist_ok=True)
        os.umask(0o077)  # logs and data are their owner's business
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, self._interrupted)
        if "MAKELEVEL" in os.environ:
            # make passes a SIGTERM on; if it is killed itself, that must not leave an installation without a terminal.
            follow_the_parent(os.getppid(), signal.SIGTERM)()
        try:
            places.prepare(self._places)
            lock = Lock(self._places)
            lock.take(self._pause)
        except AlreadyRunning as first:
            say(str(first))
            return 0
        except (CannotStart, Stopped) as reason:
            complain(str(reason))
            return 1
        return self._run(lock)

    def _run(self, lock: Lock) -> int:
        try:
            self._start()
            lock.note("running", self._url)
            self._watch()
        except Stopped:
            return 0
        except CannotStart as reason:
            complain(f"\n{reason}")
            return 1
        except OSError as error:
            complain(f"\n{explain(error, self._places.data)}")
            return 1
        finally:
            self._stop(lock)
        return 0

    @property
    def _url(self) -> str:
        return f"http://{ports.HOST}:{self._wish.port}"

    def _start(self) -> None:
        say(f"Turnpike starts from {self._places.data}")
        self._clear_the_ground()
        stores = environment.stores(self._places)
        self._env = self._environment(stores)
        self._start_stores(stores)
        self._start_engines()
        with self._steps.step("Migrations"):
            self._manage("migrate", "--no-input", DATABASE_URL=stores["DATABASE_OWNER_URL"])
        self._wait_for_engines()
        with self._steps.step("Demo organisation and catalogue"):
            self._write_demo(stores)
        with self._steps.step("Celery worker, beat and the server"):
            for program in (programs.worker(self._env), programs.beat(self._env), programs.server(self._env)):
                self._launch(program)
            server = self._running["server"]
            wait_until_ready(server, lambda: ports.answers(self._wish.port, "/readyz"), seconds=60, pause=self._pause)
        model = engines.model_of(self._wish.engine)
        say(summary(self._places, environment.read(self._places.demo), model=model, seconds=self._steps.seconds))

    def _clear_the_ground(self) -> None:
        if ended := leftovers.sweep(self._places.run):
            say(f"  Ended what an earlier start had left running: {', '.join(ended)}")
        if not ports.is_free(self._wish.port):
            raise CannotStart(f"Port {self._wish.port} is taken: choose another one with PORT=<number>.")
        if shutil.disk_usage(self._places.data).free < _LEAST_FREE_BYTES:
            raise disk_full(self._places.data)
        shutil.rmtree(self._places.metrics, ignore_errors=True)

    def _environment(self, stores: dict[str, str]) -> dict[str, str]:
        own = {
            "ENVIRONMENT": "development",
            "DATABASE_URL": stores["DATABASE_URL"],
            "REDIS_URL": stores["REDIS_URL"],
            "HOST": ports.HOST,
            "PORT": str(self._wish.port),
            "WEB_CONCURRENCY": str(self._wish.workers),
            **environment.own_secrets(self._places),
        }
        environment.write(self._places.settings, own | {"DATABASE_OWNER_URL": stores["DATABASE_OWNER_URL"]})
        process = {
            "DATA": str(self._places.data),
            "PROMETHEUS_MULTIPROC_DIR": str(self._places.metrics),
            "PYTHONUNBUFFERED": "1",
        }
        usual = {
            name: value
            for name, value in os.environ.items()
            if name not in {"DATABASE_OWNER_URL", "MAKEFLAGS", "MAKELEVEL"}
        }
        return usual | own | process

    def _start_stores(self, stores: dict[str, str]) -> None:
        if stores["DATABASE_URL"] == postgres.url(self._places):
            with self._steps.step("PostgreSQL"):
                self._running["postgres"] = postgres.start(self._places, pause=self._pause)
                postgres.make_roles(self._places)
        else:
            say("  PostgreSQL: the one that DATABASE_URL names")
        if stores["REDIS_URL"] == valkey.url(self._places):
            with self._steps.step("Valkey"):
                self._running["valkey"] = valkey.start(self._places, pause=self._pause)
        else:
            say("  Valkey: the one that REDIS_URL names")

    def _start_engines(self) -> None:
        near = self._wish.port + _ENGINE_PORTS_ABOVE
        self._replicas = engines.replicas(self._wish.engine, near=near, env=self._env)
        for replica in self._replicas:
            self._launch(replica.program)

    def _wait_for_engines(self) -> None:
        for replica in self._replicas:
            with self._steps.step(f"Engine ({replica.program.name})"):
                child = self._running[replica.program.name]
                wait_until_ready(child, replica.ready, seconds=120, pause=self._pause)

    def _write_demo(self, stores: dict[str, str]) -> None:
        urls = ",".join(replica.url for replica in self._replicas)
        printed = self._manage("demo", "--first", "--engine", self._wish.engine, "--replicas", urls)
        demo = environment.parse(printed) | stores | {"METRICS_TOKEN": self._env["METRICS_TOKEN"]}
        if self._wish.engine is engines.Kind.SIMULATOR:
            demo["SIMULATOR_URLS"] = urls
        environment.write(self._places.demo, demo)

    def _manage(self, *arguments: str, **env: str) -> str:
        log = self._places.logs / "manage.log"
        return programs.manage(*arguments, env=self._env | env, log=log, pause=self._pause)

    def _launch(self, program: Program) -> None:
        self._running[program.name] = start(program, logs=self._places.logs, run=self._places.run)

    def _watch(self) -> None:
        while True:
            self._pause(_WATCH_SECONDS)
            for name, child in list(self._running.items()):
                if not child.alive:
                    self._replace(name, child)

    def _replace(self, name: str, dead: Running) -> None:
        """Start what died again: the rest of an installation does without any one of its parts for a while."""
        reason = why_it_died(dead)
        dead.kill()
        if self._restarts >= _MOST_RESTARTS:
            raise CannotStart(reason)
        self._restarts += 1
        complain(f"{reason}\nStarting the {name} again.")
        if name == "postgres":
            self._running[name] = postgres.start(self._places, pause=self._pause)
        elif name == "valkey":
            self._running[name] = valkey.start(self._places, pause=self._pause)
        else:
            self._launch(dead.program)

    def _stop(self, lock: Lock) -> None:
        if self._running:
            say("\nStopping; requests that run may come to their end (Ctrl-C again: at once)")
        lock.note("stopping", self._url)
        asked_before = self._interrupts
        ordered = {name for names in (*_STOP_FIRST, *_STOP_LAST) for name in names}
        for names in (*_STOP_FIRST, tuple(self._running.keys() - ordered), *_STOP_LAST):
            children = [self._running[name] for name in names if name in self._running]
            stop_all(children, hurry=lambda: self._interrupts > asked_before)
        # What was still being started when somebody asked to stop is known by its pid file only.
        leftovers.sweep(self._places.run)
        places.forget_sockets(self._places)
        if self._running:
            say("Stopped.")

    def _interrupted(self, signum: int, frame: FrameType | None) -> None:
        self._interrupts += 1

    def _pause(self, seconds: float) -> None:
        """Sleep, unless somebody asked to stop: all waiting of a start goes through here."""
        if not self._interrupts:
            time.sleep(seconds)
        if self._interrupts:
            raise Stopped
