"""The platform's own processes: the server, Celery's worker and beat, and one-off management commands."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from config.local.errors import CannotStart, disk_full, tells_of_a_full_disk
from config.local.places import REPOSITORY
from config.local.processes import Program, follow_the_parent, last_line

# The server drains for DRAIN_SECONDS (30 by default) and then waits for pages; its own limit is 20 seconds above that.
_SERVER_GRACE = 55.0
_CELERY = [sys.executable, "-m", "celery", "-A", "config"]
_QUEUES = "default,money,fleet"


def server(env: Mapping[str, str]) -> Program:
    """The web server: gateway, REST, admin and pages."""
    return Program(
        name="server", command=[sys.executable, "-m", "config.server"], env=env, cwd=REPOSITORY, grace=_SERVER_GRACE
    )


def worker(env: Mapping[str, str]) -> Program:
    """One worker for all queues; two processes, so that a long verification does not hold up the reaping of holds."""
    options = ["worker", "--queues", _QUEUES, "--concurrency", "2", "--without-gossip", "--without-mingle"]
    return Program(name="worker", command=[*_CELERY, *options, "--loglevel", "INFO"], env=env, cwd=REPOSITORY, grace=20)


def beat(env: Mapping[str, str]) -> Program:
    """The clock of the schedule."""
    return Program(name="beat", command=[*_CELERY, "beat", "--loglevel", "INFO"], env=env, cwd=REPOSITORY)


def manage(*arguments: str, env: Mapping[str, str], log: Path, pause: Callable[[float], None]) -> str:
    """Run a management command to its end and return what it printed. Raises CannotStart when it fails."""
    with log.open("ab") as errors:
        command = subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            env=dict(env),
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
            preexec_fn=follow_the_parent(os.getpid(), signal.SIGTERM),  # noqa: PLW1509 - see there
        )
    try:
        while command.poll() is None:
            pause(0.02)
    finally:
        if command.poll() is None:
            command.send_signal(signal.SIGTERM)
        printed, _ = command.communicate()
    if command.returncode:
        reason = last_line(log)
        if tells_of_a_full_disk(reason):
            raise disk_full(log.parent.parent)
        raise CannotStart(f"manage.py {arguments[0]} failed (exit status {command.returncode}); see {log}: {reason}")
    return printed
