"""What the engines saw of some calls."""

from collections.abc import Collection
from typing import Any

from tests.inference.simulator.client import eventually
from tests.installation import Installation


def of(installation: Installation, request_ids: Collection[str]) -> dict[str, dict[str, Any]]:
    """Return the engines' own records of these requests, once every one of them has ended there."""
    return eventually(lambda: _ended(installation, set(request_ids)), within=10)


def most_at_once(records: Collection[dict[str, Any]]) -> int:
    """Return how many of these requests ran at the same time, at most."""
    begun = [(record["started_at"], 1) for record in records]
    ended = [(record["ended_at"], -1) for record in records]
    most = running = 0
    for _, change in sorted(begun + ended):
        running += change
        most = max(most, running)
    return most


def _ended(installation: Installation, wanted: set[str]) -> dict[str, dict[str, Any]] | None:
    seen = {entry["request_id"]: entry for entry in installation.witness() if entry["request_id"] in wanted}
    return seen if seen.keys() == wanted and all(entry["ended_at"] for entry in seen.values()) else None


def arrived(installation: Installation, number: int) -> list[str]:
    """Return the ids of the requests that came since the witnesses were cleared, once there are so many."""
    eventually(lambda: len(installation.witness()) >= number, within=10)
    return [entry["request_id"] for entry in installation.witness()]
