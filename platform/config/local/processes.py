"""Start programs, stop them for certain, and say why one died.

Each program leads a session of its own, so that Ctrl-C in the terminal reaches the launcher alone and the launcher ends
them in order. Linux also tells them when the launcher itself is gone (PR_SET_PDEATHSIG), and a pid file lets the next
start find what outlived even that (see `leftovers`).
"""

import contextlib
import ctypes
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from config.local.accounts import Account
from config.local.errors import CannotStart, disk_full, tells_of_a_full_disk
from config.local.leftovers import remember

_PR_SET_PDEATHSIG = 1
_LOG_LIMIT = 10_000_000
_TAIL = 8_000
_POLL_SECONDS = 0.02
_BLAMED = re.compile(r"FATAL|PANIC|^[\w.]+(Error|Exception|Configured): ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """How a program is started and ended. `grace` is how many seconds it has to end by itself after `stop_signal`."""

    name: str
    command: Sequence[str | Path]
    env: Mapping[str, str]
    cwd: Path = Path("/")
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 10.0


class Running:
    """A program that was started, its log and its pid file."""

    def __init__(self, program: Program, process: subprocess.Popen[bytes], log: Path, pid_file: Path) -> None:
        self.program, self.process, self.log, self.pid_file = program, process, log, pid_file

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def last_line(self) -> str:
        """Return the last thing the program logged, which is nearly always why it died."""
        return last_line(self.log)

    def ask_to_stop(self) -> None:
        if self.alive:
            self.process.send_signal(self.program.stop_signal)

    def kill(self) -> None:
        """End the program and all that it started, at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()
        self.pid_file.unlink(missing_ok=True)

    def stop(self, *, hurry: Callable[[], bool] = lambda: False) -> None:
        """Ask, wait for as long as the program's grace lasts or nobody is in a hurry, then make sure."""
        self.ask_to_stop()
        deadline = time.monotonic() + self.program.grace
        while self.alive and time.monotonic() < deadline and not hurry():
            time.sleep(_POLL_SECONDS)
        self.kill()


def start(program: Program, *, logs: Path, run: Path) -> Running:
    """Start a program; what it prints goes to its log, and its pid file is written before this returns."""
    log = logs / f"{program.name}.log"
    _keep_short(log)
    with log.open("ab") as output:
        process = subprocess.Popen(
            [os.fspath(part) for part in program.command],
            env=dict(program.env),
            cwd=program.cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=follow_the_parent(os.getpid(), program.stop_signal),  # noqa: PLW1509 - see there
            **dropped(program.account),
        )
    pid_file = run / f"{program.name}.pid"
    remember(pid_file, process.pid)
    return Running(program, process, log, pid_file)


class Identity(TypedDict):
    """The arguments of subprocess that say as whom a child runs."""

    user: int | None
    group: int | None
    extra_groups: list[str | int] | None


def dropped(account: Account | None) -> Identity:
    """Return the arguments that drop root's privileges for `account`, or change nothing."""
    if account is None:
        return {"user": None, "group": None, "extra_groups": None}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def stop_all(children: Iterable[Running], *, hurry: Callable[[], bool] = lambda: False) -> None:
    """Stop programs that do not need each other, all at the same time."""
    waiting = list(children)
    for child in waiting:
        child.ask_to_stop()
    for child in waiting:
        child.stop(hurry=hurry)


def wait_until_ready(
    child: Running, ready: Callable[[], bool], *, seconds: float, pause: Callable[[float], None]
) -> None:
    """Return once `ready()` holds. Raises CannotStart when the program died first or took too long."""
    deadline = time.monotonic() + seconds
    while not ready():
        if not child.alive:
            raise CannotStart(why_it_died(child))
        if time.monotonic() > deadline:
            raise CannotStart(
                f"{child.program.name} was not ready after {seconds:.0f} s; see {child.log}: {child.last_line()}"
            )
        pause(_POLL_SECONDS)
    if not child.alive:  # then somebody else has answered in its place
        raise CannotStart(why_it_died(child))


def why_it_died(child: Running) -> str:
    """Say in one line what ended a program."""
    line = child.last_line()
    if tells_of_a_full_disk(line):
        return str(disk_full(child.log.parent.parent))
    return f"{child.program.name} died ({_ending(child.process.returncode)}); see {child.log}: {line}"


def last_line(log: Path) -> str:
    """Return the last line of a log that says something."""
    with contextlib.suppress(OSError), log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL))
        lines = [line.strip() for line in file.read().decode("utf-8", "replace").splitlines() if line.strip()]
        blamed = [line for line in lines[-20:] if _BLAMED.search(line) or tells_of_a_full_disk(line)]
        return (blamed or lines or [""])[-1][:500]
    return ""


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        return f"signal {signal.Signals(-code).name}"
    return f"exit status {code}"


def _keep_short(log: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size > _LOG_LIMIT:
            log.replace(log.with_suffix(".log.1"))


def follow_the_parent(parent: int, signum: signal.Signals) -> Callable[[], None]:
    """Return what makes a process ask the kernel for `signum` when its parent ends; a child calls it before exec."""
    if sys.platform != "linux":
        return lambda: None
    # Looked up here: between fork and exec only the plainest of calls are safe, and with threads nothing that locks.
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def follow() -> None:
        prctl(_PR_SET_PDEATHSIG, int(signum), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return follow
