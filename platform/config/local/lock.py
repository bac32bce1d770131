"""One launcher for one data folder: the second is told about the first."""

import fcntl
import json
import os
import time
from collections.abc import Callable

from config.local.errors import CannotStart, explain
from config.local.places import Places

_STOPPING = "stopping"
_PATIENCE_SECONDS = 120.0


class AlreadyRunning(Exception):
    """Another launcher has this data folder; the message says where it answers."""


class Lock:
    """Held by the kernel for as long as this process lives, so that a crash frees it."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._file = places.run / "launcher.lock"
        self._state = places.run / "launcher.json"
        self._descriptor = -1

    def take(self, pause: Callable[[float], None]) -> None:
        """Take the folder; wait for a launcher that is on its way out. Raises AlreadyRunning."""
        try:
            self._descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise explain(error, self._places.data) from error
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not self._try():
            state = self._read()
            if state.get("state") != _STOPPING:
                raise AlreadyRunning(self._described(state))
            if time.monotonic() > deadline:
                raise CannotStart(
                    f"Process {state.get('pid')} has been stopping Turnpike in {self._places.data} for too long."
                )
            pause(0.1)
        self.note("starting", "")

    def note(self, state: str, url: str) -> None:
        """Say how far this launcher is: starting, running or stopping."""
        unfinished = self._state.with_suffix(".new")
        try:
            unfinished.write_text(json.dumps({"pid": os.getpid(), "state": state, "url": url}))
            unfinished.replace(self._state)
        except OSError as error:
            raise explain(error, self._places.data) from error

    def _try(self) -> bool:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _read(self) -> dict[str, object]:
        try:
            found = json.loads(self._state.read_text())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _described(self, state: dict[str, object]) -> str:
        where = f" at {state['url']}" if state.get("url") else ""
        return (
            f"Turnpike is already {state.get('state', 'running')} from {self._places.data}{where}"
            f" (process {state.get('pid', 'unknown')}); stop that one, or choose another DATA=<folder>."
        )
