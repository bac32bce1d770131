"""How long requests wait for their limits and their hold: read from the gateway's own histogram, before and after."""

import http.client
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

from config.local import ports

_LINE = re.compile(r'^turnpike_admission_seconds_bucket\{le="([^"]+)"\} (\S+)$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Admissions:
    """How many were let in within each bound, in seconds; the bounds ascend, and the last one is infinite."""

    within: tuple[tuple[float, float], ...]

    @classmethod
    def read(cls, port: int, token: str) -> Self:
        """Ask a gateway for its metrics."""
        connection = http.client.HTTPConnection(ports.HOST, port, timeout=10)
        try:
            connection.request("GET", "/metrics", headers={"authorization": f"Bearer {token}"})
            text = connection.getresponse().read().decode()
        finally:
            connection.close()
        return cls(tuple(sorted((float(bound), float(count)) for bound, count in _LINE.findall(text))))

    def since(self, earlier: Self) -> Self:
        """Return those that were let in between two readings."""
        before = dict(earlier.within)
        return type(self)(tuple((bound, count - before.get(bound, 0.0)) for bound, count in self.within))

    def percentile_ms(self, part: float) -> float:
        """Return the time that this part was let in within, as Prometheus does: straight between two bounds."""
        if not self.within or not self.within[-1][1]:
            return 0.0
        wanted = part * self.within[-1][1]
        for (lower, below), (upper, count) in pairwise([(0.0, 0.0), *self.within]):
            if count >= wanted:
                return (
                    lower if upper == float("inf") else lower + (upper - lower) * (wanted - below) / (count - below)
                ) * 1000
        return 0.0
