"""Find and end what an earlier launcher left running, without ever hitting a stranger who got the same process id."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

_PATIENCE_SECONDS = 10.0
_START_TIME = 22  # the field of /proc/<pid>/stat, counted from 1 as in man 5 proc
_SESSION = 6


def remember(pid_file: Path, pid: int) -> None:
    """Note who runs: the process id and the moment it started, which together never come twice."""
    pid_file.write_text(f"{pid} {started_at(pid)}\n")


def started_at(pid: int) -> str:
    """Return when a process started, in clock ticks since boot and with the boot's own id; "" when there is none."""
    fields = _stat(pid)
    return f"{_boot()}:{fields[_START_TIME - 1]}" if fields else ""


def alive(pid_file: Path) -> int | None:
    """Return the process id in `pid_file` if that very process still runs."""
    pid, started = _noted(pid_file)
    return pid if started and started_at(pid) == started else None


def sweep(run: Path, *, first: signal.Signals = signal.SIGTERM) -> list[str]:
    """End every process that the pid files in `run` name, with what it started; return their names.

    PostgreSQL takes SIGTERM as "when the last client has left", so it gets SIGINT, which means now, and in good order.
    """
    found = [file for file in sorted(run.glob("*.pid")) if _members(file)]
    for file in found:
        if pid := alive(file):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT if file.stem == "postgres" else first)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while any(alive(file) for file in found) and time.monotonic() < deadline:
        time.sleep(0.05)
    for file in sorted(run.glob("*.pid")):
        _kill_members(file)
        file.unlink(missing_ok=True)
    return [file.stem for file in found]


def _kill_members(pid_file: Path) -> None:
    for pid in _members(pid_file):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def _members(pid_file: Path) -> list[int]:
    """Return the processes of the session that the process in `pid_file` led, whether or not it is still there.

    The kernel gives a session's number to nobody else while one of its members lives. So if the number belongs to a
    process that started at another moment, the session is gone for good.
    """
    leader, started = _noted(pid_file)
    if not started.startswith(_boot()) or started_at(leader) not in {started, ""}:
        return []
    return [pid for pid in _processes() if (fields := _stat(pid)) and fields[_SESSION - 1] == str(leader)]


def _noted(pid_file: Path) -> tuple[int, str]:
    try:
        pid, started = pid_file.read_text().split()
        return int(pid), started
    except (OSError, ValueError):
        return 0, ""


def _processes() -> Iterator[int]:
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/<pid>/stat, or nothing for a process that is gone or only waits to be reaped."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (OSError, UnicodeDecodeError):
        return []
    head, _, tail = text.rpartition(")")
    number, _, name = head.partition("(")
    fields = [number.strip(), name, *tail.split()]
    return [] if fields[2] == "Z" else fields


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
