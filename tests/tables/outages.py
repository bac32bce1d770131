"""What happens while a dependency is away (architecture §4.2), and in which ways it can be (tests/faults/proxy.py)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cell:
    """What a function does, and the test that proves it."""

    says: str
    proof: str


@dataclass(frozen=True)
class Row:
    """One function of the gateway."""

    function: str
    valkey: Cell
    postgres: Cell

    def cells(self) -> list[str]:
        return [self.function, self.valkey.says, self.postgres.says]


HEAD = ("function", "Valkey down", "Postgres down")

ROWS = (
    Row(
        "money",
        Cell("unaffected", "test_in_every_state_of_valkey_limits_hold_and_money_is_right"),
        Cell(
            "new requests are refused with 503 and `Retry-After`",
            "test_a_stream_waits_for_its_charge_and_nothing_new_is_let_in",
        ),
    ),
    Row(
        "settlement of a running request",
        Cell("unaffected", "test_in_every_state_of_valkey_limits_hold_and_money_is_right"),
        Cell(
            "tried again until the request's deadline; the end marker waits; then an error in the stream, no charge",
            "test_a_stream_that_cannot_be_charged_in_its_time_ends_in_band_and_costs_nothing",
        ),
    ),
    Row(
        "rate limits",
        Cell(
            "per process, at the limit divided by the number of workers (`x-ratelimit-mode: degraded`)",
            "test_without_valkey_a_process_allows_its_share_and_says_so",
        ),
        Cell("unaffected", "test_who_is_refused_by_a_limit_is_so_without_postgres"),
    ),
    Row(
        "key check",
        Cell(
            "from the cache of the process, else Postgres; a revoked key is dead within five seconds",
            "test_without_valkey_a_revoked_key_is_dead_within_five_seconds",
        ),
        Cell(
            "from the cache for up to five seconds, then 503",
            "test_what_is_not_fresh_is_refused_while_the_database_is_down",
        ),
    ),
)


@dataclass(frozen=True)
class State:
    """One way in which a store can be, and what the gateway makes of it: `degraded`, or as if nothing were."""

    name: str
    means: str
    degraded: bool

    def cells(self) -> list[str]:
        return [f"`{self.name}`", self.means, "degraded" if self.degraded else "as usual"]


STATE_HEAD = ("state", "is", "meanwhile")

VALKEY_STATES = (
    State("down", "nobody listens", True),
    State("slow", "every answer comes 200 ms late, beyond the time limit", True),
    State("paused", "connections stand, and no answer comes", True),
    State("reset", "every connection is broken off, again and again", True),
    State("flushed", "all keys and all scripts are gone (`NOSCRIPT`)", False),
    State("replica", "it was failed over, and may not be written (`READONLY`)", True),
    State("loading", "it was restarted, and reads its data (`LOADING`)", True),
)
POSTGRES_STATES = (
    State("down", "nobody listens", True),
    State("slow", "every answer comes 200 ms late, within the time limit", False),
    State("paused", "connections stand, and no answer comes", True),
    State("reset", "every connection is broken off, again and again", True),
    State("read only", "it was failed over to a standby, and may not be written", True),
)
