"""How long each step may take (architecture §4.3), beside where the code keeps it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings

from foundation import web
from foundation.stores import PostgresLimits
from inference.gateway import exchange, idempotency, overruns
from inference.models import Pool


@dataclass(frozen=True)
class Row:
    """A limit in seconds, and what the code says."""

    step: str
    seconds: float
    found: Callable[[], float]
    beyond: str

    def cells(self) -> list[str]:
        shown = f"{self.seconds * 1000:g} ms" if self.seconds < 1 else f"{self.seconds:g} s"
        return [self.step, shown, self.beyond]


def _of_pool(field: str) -> Callable[[], float]:
    return lambda: Pool._meta.get_field(field).default / 1000


HEAD = ("step", "limit", "beyond it")

ROWS = (
    Row(
        "head of a request (`REQUEST_HEAD_SECONDS`)",
        10,
        lambda: settings.REQUEST_HEAD_SECONDS,
        "the connection is closed",
    ),
    Row("body of a request, at 16 KB/s or faster", 30, lambda: web.MAX_SECONDS, "408"),
    Row("connecting to an engine (of a pool)", 2, _of_pool("connect_ms"), "another replica, then 502"),
    Row("first byte of an engine (of a pool)", 60, _of_pool("first_byte_ms"), "504 `upstream_timeout`"),
    Row("between two tokens (of a pool)", 30, _of_pool("between_tokens_ms"), "an error in the stream, no charge"),
    Row("whole request (of a pool)", 600, _of_pool("total_ms"), "an error in the stream, no charge"),
    Row(
        "client that does not read (`CLIENT_READ_SECONDS`)",
        30,
        lambda: settings.CLIENT_READ_SECONDS,
        "it counts as gone, and pays what was made",
    ),
    Row("engine that says nothing in a stream", 15, lambda: exchange.KEEP_ALIVE_SECONDS, "the client gets a comment"),
    Row("looking for streams that outgrow their hold", 1, lambda: overruns.LOOK_SECONDS, "more is held, or they end"),
    Row("waiting for the first one of an `Idempotency-Key`", 600, lambda: idempotency.PATIENCE_SECONDS, "503"),
    Row("drain (`DRAIN_SECONDS`)", 30, lambda: settings.DRAIN_SECONDS, "streams are ended in-band, no charge"),
    Row("statement of the gateway in Postgres", 5, lambda: PostgresLimits().statement_ms / 1000, "Postgres is away"),
    Row(
        "round trip to Valkey (`VALKEY_TIMEOUT_MS`)", 0.05, lambda: settings.VALKEY_TIMEOUT_MS / 1000, "Valkey is away"
    ),
)
