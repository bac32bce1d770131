"""The engines' credentials: sealed in the catalogue, opened in memory only. Never in a log, an error or a `repr`.

Each is bound to its pool: a sealed text that is copied to another pool's row does not open there.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from foundation import logs, metrics
from foundation.sealing import CannotOpen, Keyring

log = logs.get(__name__)

PURPOSE = "engine credentials"


def place_of(pool_id: object) -> str:
    """Return the place that a pool's credential is sealed for."""
    return f"pool:{pool_id}"


class Credentials:
    """Finds the credentials of pools, and says once of each that cannot be opened."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keyring = Keyring(keys, PURPOSE)
        self._closed: frozenset[str] = frozenset()

    def of(self, pools: Sequence[dict[str, Any]]) -> dict[str, str]:
        """Return the credential of each pool by the pool's id, empty for none.

        A pool is missing if its credential cannot be opened: it is out of service then, with an alert, and the others
        work on.
        """
        found, closed = {}, set()
        for pool in pools:
            try:
                found[pool["id"]] = self._of(pool)
            except CannotOpen:
                closed.add(pool["name"])
        self._tell(frozenset(closed))
        return found

    def _of(self, pool: dict[str, Any]) -> str:
        if pool["sealed_credential"]:
            return self._keyring.open(pool["sealed_credential"], place_of(pool["id"]))
        return os.environ.get(pool["credential_env"], "") if pool["credential_env"] else ""

    def _tell(self, closed: frozenset[str]) -> None:
        for name in sorted(closed - self._closed):
            log.error("credential_cannot_be_opened", pool=name)
        for name in sorted(self._closed - closed):
            log.info("credential_opened_again", pool=name)
        self._closed = closed
        metrics.pools_without_credential.set(len(closed))
