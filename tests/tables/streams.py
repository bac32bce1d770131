"""What becomes of a stream: what an engine does (the simulator's directives), what the client gets, what it costs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class End(StrEnum):
    """What a client gets in the end, in the words of its API; sound, which has none, is cut off before its end."""

    SETTLED = "all of it and the end marker"
    BROKEN = "what came, then the error `{row.code}`, and no end marker"
    REFUSED = "{row.status} `{row.code}`"


class Usage(StrEnum):
    """What an engine says of its tokens, and so what they cost where tokens are charged."""

    TOLD = "the engine's usage"
    UNTOLD = "our own count"
    ZERO = "0: zero is a value"
    HUGE = "all of it, as an overage"


FREE = "0"


@dataclass(frozen=True)
class Row:
    """One thing that an engine can do.

    `code` is the error's, `tokens` what the client gets of content; None where that depends on the endpoint.
    """

    directive: str
    end: End = End.SETTLED
    outcome: str = "complete"
    tokens: int | None = 5
    usage: Usage = Usage.TOLD
    status: int = 200
    code: str = ""

    def cells(self) -> list[str]:
        charge = str(self.usage) if self.end is End.SETTLED and self.outcome == "complete" else FREE
        return [f"`{self.directive}`", f"`{self.outcome}`", charge, self.end.format(row=self)]


HEAD = ("the engine", "outcome", "charge", "the client gets")
FAILED, LATE = "upstream_error", "upstream_timeout"


def _breaks(directive: str, tokens: int, outcome: str = FAILED, code: str = FAILED) -> Row:
    return Row(f"tokens=5 {directive}", End.BROKEN, outcome, tokens, code=code)


def _refused(directive: str, status: int, code: str, outcome: str = FAILED) -> Row:
    return Row(directive, End.REFUSED, outcome, 0, status=status, code=code)


ROWS = (
    Row("tokens=5 ttft=20 gap=5"),
    Row("tokens=0", outcome="no_output", tokens=0),
    Row("tokens=5 usage=final"),
    Row("tokens=5 usage=continuous"),
    Row("tokens=5 usage=none", usage=Usage.UNTOLD),
    Row("tokens=5 usage=zero", usage=Usage.ZERO),
    Row("tokens=5 usage=huge", usage=Usage.HUGE),
    Row("tokens=5 no_done"),
    Row("tokens=5 dup_done"),
    Row("tokens=5 split=1"),
    Row("tokens=5 split=7"),
    Row("tokens=5 crlf"),
    Row("tokens=5 comments"),
    Row("tokens=5 set_cookie"),
    Row("echo_headers", tokens=1),
    Row("tokens=5 reasoning=2", tokens=7),
    Row("tokens=5 tools=1", tokens=None),
    Row("tokens=5 refusal"),
    _refused("tokens=5 bad_gzip", 502, FAILED),
    _refused("tokens=5 die_after=-1", 502, FAILED),
    _breaks("die_after=0", 0),
    _breaks("die_after=2", 2),
    _refused("tokens=5 rst_after=-1", 502, FAILED),
    _breaks("rst_after=0", 0),
    _breaks("rst_after=2", 2),
    _refused("tokens=5 hang_after=-1", 504, LATE, "timeout"),
    _breaks("hang_after=0", 0, "timeout", LATE),
    _breaks("hang_after=2", 2, "timeout", LATE),
    _refused("tokens=5 err_event=0", 502, FAILED),
    _breaks("err_event=2", 2),
    _refused("status=307", 502, FAILED),
    _refused("status=400", 400, "invalid_request"),
    _refused("status=401", 502, FAILED),
    _refused("status=404", 502, FAILED),
    _refused("status=422", 400, "invalid_request"),
    _refused("status=429", 503, "overloaded"),
    _refused("status=500", 502, FAILED),
    _refused("status=503", 503, "overloaded"),
    _refused("status=529", 503, "overloaded"),
)


@dataclass(frozen=True)
class Way:
    """One way from a client to an engine: an endpoint, and whether its dialect is translated to the engine's chat.

    `opens`: something comes before the first token, so that an engine that fails then is told of in the stream.
    `runs`: the engine tells its usage as it goes, so that a stream that breaks is on record with it.
    `marker_tells_usage`: and how the answer ended, so that nothing is known to be whole without it.
    """

    surface: str
    bridged: bool = False
    opens: bool = True
    runs: bool = False
    marker_tells_usage: bool = False
    unit: str = ""

    @property
    def name(self) -> str:
        return f"{self.surface}, {'translated' if self.bridged else 'native'}"

    def own(self, row: Row) -> Row:
        """Return a row as it is here."""
        if self.marker_tells_usage and "no_done" in row.directive:
            return replace(row, end=End.BROKEN, outcome=FAILED, code=FAILED)
        return row


WAYS = (
    Way("chat.completions", runs=True),
    Way("completions", opens=False, runs=True),
    Way("responses", marker_tells_usage=True),
    Way("responses", bridged=True),
    Way("messages", runs=True),
    Way("messages", bridged=True),
    Way("audio.transcriptions", opens=False, unit="seconds"),
    Way("audio.speech", unit="characters"),
)
