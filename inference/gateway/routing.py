"""Which replica? The least busy healthy one; of equals, the one whose turn it is.

The choice is a pure function of the snapshot and of what this process has in flight.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from inference.gateway.catalogue import Model, Pool, Replica, Route
from inference.gateway.errors import NoReplica

# A replica that refused a connection is left alone for as long as a prober needs to see it.
COOLING_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes, and under which model name."""

    pool: Pool
    replica: Replica
    upstream_name: str


def choose(
    model: Model, in_flight: Mapping[str, int], avoided: Collection[str], turn: int, tried: Collection[str] = ()
) -> Target:
    """Pick the replica with the fewest requests in flight per weight. Raises `NoReplica`.

    `avoided` replicas serve only when no other can; `tried` ones never.
    """
    candidates = [
        (route, replica)
        for route in model.routes
        for replica in route.pool.replicas
        if replica.healthy and route.weight and replica.id not in tried
    ]
    fresh = [candidate for candidate in candidates if candidate[1].id not in avoided] or candidates
    if not fresh:
        raise NoReplica(retry_after=COOLING_SECONDS)
    start = turn % len(fresh)
    route, replica = min(_rotated(fresh, start), key=lambda pair: in_flight.get(pair[1].id, 0) / pair[0].weight)
    return Target(route.pool, replica, route.upstream_name)


def _rotated(pairs: list[tuple[Route, Replica]], start: int) -> Iterable[tuple[Route, Replica]]:
    return pairs[start:] + pairs[:start]


class Balance:
    """What this process has in flight on each replica, and which replicas just failed."""

    def __init__(self) -> None:
        self.in_flight: Counter[str] = Counter()
        self._cooling: dict[str, float] = {}
        self._turn = 0

    def choose(self, model: Model, now: float, tried: Collection[str] = ()) -> Target:
        """Pick a replica and count the request on it; `release` it in the end."""
        self._turn += 1
        self._cooling = {name: until for name, until in self._cooling.items() if until > now}
        target = choose(model, self.in_flight, self._cooling, self._turn, tried)
        self.in_flight[target.replica.id] += 1
        return target

    def release(self, target: Target) -> None:
        """A request on this replica has ended."""
        self.in_flight[target.replica.id] -= 1

    def failed(self, target: Target, now: float) -> None:
        """The replica could not be reached: others first, for a while."""
        self._cooling[target.replica.id] = now + COOLING_SECONDS
