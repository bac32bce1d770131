"""Every engine that this process talks to: which address, which headers, how long to wait for a connection."""

from __future__ import annotations

from inference.gateway.connections import Asking, Connections
from inference.gateway.engines.kinds import ENGINES
from inference.gateway.engines.wire import Call
from inference.gateway.routing import Target


class Upstream:
    """The connections of one process."""

    def __init__(self, ca_bundle: str = "") -> None:
        self._connections = Connections(ca_bundle)

    def post(self, target: Target, call: Call, request_id: str) -> Asking:
        """Prepare a request to an engine."""
        pool = target.pool
        headers: tuple[tuple[str, str], ...] = (
            ("content-type", call.content_type),
            ("accept-encoding", "identity"),
            ("user-agent", "turnpike"),
            ("x-request-id", request_id),
            *ENGINES[pool.engine].headers(pool),
        )
        return self._connections.post(target.replica.url, call.path, call.body, headers, pool.connect_seconds)

    def close(self) -> None:
        """Close all idle connections."""
        self._connections.close()
