"""Runs a program to its end for its output; the program ends with us, however we end."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence

from config.local.errors import CannotStart
from config.local.processes import follow_the_parent


def output_of(
    command: Sequence[str], *, seconds: float, env: Mapping[str, str] | None = None, given: bytes | None = None
) -> str:
    """Return what a program prints. Raises CannotStart with its last line when it fails, or takes too long."""
    try:
        done = subprocess.run(
            command,
            env=None if env is None else dict(env),
            input=given if given is not None else b"",
            capture_output=True,
            check=False,
            timeout=seconds,
            start_new_session=True,
            preexec_fn=follow_the_parent(os.getpid(), signal.SIGKILL),
        )
    except FileNotFoundError as error:
        raise CannotStart(f"{command[0]} is not installed.") from error
    except subprocess.TimeoutExpired as error:
        raise CannotStart(f"{command[0]} did not end within {seconds:.0f} s.") from error
    if done.returncode:
        said = (done.stderr or done.stdout).decode("utf-8", "replace").strip().splitlines()
        raise CannotStart(f"{command[0]} failed (exit status {done.returncode}): {(said or ['it said nothing'])[-1]}")
    return done.stdout.decode("utf-8", "replace")
