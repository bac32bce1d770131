"""Runs Valkey's scripts, many in one round trip, and leaves Valkey alone for a moment after it failed."""

from __future__ import annotations

import time
from importlib.resources import files
from typing import Any

from redis.exceptions import NoScriptError

from foundation import logs, metrics
from foundation.stores import StoreDown
from foundation.valkey import Valkey

log = logs.get(__name__)

ADMIT, RELEASE, EXTEND = (
    files(__package__).joinpath(f"{name}.lua").read_text() for name in ("admission", "release", "extend")
)
# After a failure Valkey is left alone for this long, so that not every batch waits for its time limit.
RETRY_SECONDS = 1.0

type Call = tuple[str, list[str], list[Any]]
"""A script, its keys, which carry one hash tag, and its arguments."""


class Scripts:
    """One process's way to run scripts."""

    def __init__(self, valkey: Valkey, timeout_seconds: float) -> None:
        self._valkey = valkey
        self._timeout_seconds = timeout_seconds
        self._shas: dict[str, str] = {}
        self._down_until = 0.0

    async def run(self, calls: list[Call]) -> list[Any]:
        """Run scripts in one round trip; None for each that Valkey did not answer."""
        if time.monotonic() < self._down_until:
            return [None] * len(calls)
        try:
            answers = await self._ask(calls)
            unknown = [place for place, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
            if unknown:
                # Only these again: what the others did is done.
                self._shas.clear()
                again = await self._ask([calls[place] for place in unknown])
                for place, answer in zip(unknown, again, strict=True):
                    answers[place] = answer
        except StoreDown as error:
            self._is_down(error.__cause__ or error)
            return [None] * len(calls)
        errors = [answer for answer in answers if isinstance(answer, Exception)]
        if errors:
            self._is_down(errors[0])
        else:
            metrics.dependency_degraded("valkey").set(0)
        return [None if isinstance(answer, Exception) else answer for answer in answers]

    async def _ask(self, calls: list[Call]) -> list[Any]:
        unloaded = {script for script, _, _ in calls} - self._shas.keys()
        if unloaded:
            await self._load(list(unloaded))
        commands = [("EVALSHA", self._shas[script], len(keys), *keys, *arguments) for script, keys, arguments in calls]
        return await self._valkey.ask(commands, self._timeout_seconds)

    async def _load(self, scripts: list[str]) -> None:
        loads = [("SCRIPT", "LOAD", script) for script in scripts]
        for script, sha in zip(scripts, await self._valkey.ask(loads, self._timeout_seconds), strict=True):
            if isinstance(sha, Exception):
                raise StoreDown("valkey") from sha
            self._shas[script] = sha.decode()

    def _is_down(self, error: BaseException) -> None:
        self._down_until = time.monotonic() + RETRY_SECONDS
        metrics.dependency_degraded("valkey").set(1)
        log.warning("valkey_degraded", reason=type(error).__name__)
