"""Which replica? The least busy healthy one; of equals, the one whose turn it is.

The choice is a pure function of the snapshot and of what this process has in flight.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from inference.gateway.catalogue import Pool, Replica, Route
from inference.gateway.errors import NoReplica
from keys.effective import Rate

# A replica that refused a connection is left alone for as long as a prober needs to see it.
COOLING_SECONDS = 2.0


class Target(NamedTuple):
    """Where a request goes, under which model name, and by which chat template if any."""

    pool: Pool
    replica: Replica
    upstream_name: str
    template: str = ""


type _Candidates = list[tuple[Route, Replica]]


def candidates(routes: Sequence[Route], tried: Collection[str] = (), seat: str = "") -> _Candidates:
    """Return the healthy replicas that may serve a request which has a place in the pool `seat`.

    A pool with a limit of requests at once serves only those that have a place in it.
    """
    able = [
        (route, replica)
        for route in routes
        for replica in route.pool.replicas
        if replica.healthy
        and route.weight
        and replica.id not in tried
        and (route.pool.max_concurrency is None or route.pool.name == seat)
    ]
    return [candidate for candidate in able if candidate[0].pool.name == seat] or able


def choose(
    routes: Sequence[Route],
    in_flight: Mapping[str, int],
    avoided: Collection[str],
    turn: int,
    tried: Collection[str] = (),
    seat: str = "",
) -> Target:
    """Pick the replica with the fewest requests in flight per weight. Raises `NoReplica`.

    `avoided` replicas serve only when no other can; `tried` ones never.
    """
    fresh = _fresh(candidates(routes, tried, seat), avoided)
    if not fresh:
        raise NoReplica(retry_after=COOLING_SECONDS)
    route, replica = min(_rotated(fresh, turn % len(fresh)), key=lambda pair: _load(pair, in_flight))
    return Target(route.pool, replica, route.upstream_name, route.template)


def seats(routes: Sequence[Route], in_flight: Mapping[str, int], avoided: Collection[str]) -> tuple[Rate, ...]:
    """Return the pools that could serve, with their limits, the least busy first; nothing where no pool has a limit.

    A request needs a place in one of them.
    """
    if all(route.pool.max_concurrency is None for route in routes):
        return ()
    able = [(route, replica) for route in routes for replica in route.pool.replicas if replica.healthy and route.weight]
    pools: dict[str, Pool] = {}
    for route, _ in sorted(_fresh(able, avoided), key=lambda pair: _load(pair, in_flight)):
        pools.setdefault(route.pool.name, route.pool)
    return tuple(Rate("pool", pool.name, None, None, None, None, pool.max_concurrency) for pool in pools.values())


def _fresh(able: _Candidates, avoided: Collection[str]) -> _Candidates:
    return [candidate for candidate in able if candidate[1].id not in avoided] or able


def _load(candidate: tuple[Route, Replica], in_flight: Mapping[str, int]) -> float:
    return in_flight.get(candidate[1].id, 0) / candidate[0].weight


def _rotated(pairs: _Candidates, start: int) -> Iterable[tuple[Route, Replica]]:
    return pairs[start:] + pairs[:start]


class Balance:
    """What this process has in flight on each replica, and which replicas just failed."""

    def __init__(self) -> None:
        self.in_flight: Counter[str] = Counter()
        self._cooling: dict[str, float] = {}
        self._turn = 0

    def seats(self, routes: Sequence[Route], now: float) -> tuple[Rate, ...]:
        """Return the pools in one of which a request needs a place, best first."""
        return seats(routes, self.in_flight, {name for name, until in self._cooling.items() if until > now})

    def choose(self, routes: Sequence[Route], now: float, tried: Collection[str] = (), seat: str = "") -> Target:
        """Pick a replica and count the request on it; `release` it in the end."""
        self._turn += 1
        self._cooling = {name: until for name, until in self._cooling.items() if until > now}
        target = choose(routes, self.in_flight, self._cooling, self._turn, tried, seat)
        self.in_flight[target.replica.id] += 1
        return target

    def release(self, target: Target) -> None:
        """A request on this replica has ended."""
        self.in_flight[target.replica.id] -= 1

    def failed(self, target: Target, now: float) -> None:
        """The replica could not be reached: others first, for a while."""
        self._cooling[target.replica.id] = now + COOLING_SECONDS
