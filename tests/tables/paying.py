"""Who pays: how a request ended, and what it is charged (architecture §4.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from inference.gateway.charging import Ending, Source

FINAL = {"prompt_tokens": 12, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 4}}
ZERO = {"prompt_tokens": 0, "completion_tokens": 0}
NO_OUTPUT = {"prompt_tokens": 12, "completion_tokens": 0}
ACTUAL = "tokens set to actual"


@dataclass(frozen=True)
class Case:
    """What the gateway saw of a request, and what it must make of it."""

    ending: Ending
    usage: Any
    final: bool
    outputs: int
    source: Source
    billable: bool


@dataclass(frozen=True)
class Row:
    """A line of the table. Where the decision is not a pure function, `proof` names the test that proves the line."""

    how: str
    outcome: str
    charge: str
    limits: str = ACTUAL
    cases: tuple[Case, ...] = ()
    proof: str = ""

    def cells(self) -> list[str]:
        return [self.how, f"`{self.outcome}`", self.charge, self.limits]


HEAD = ("how the request ended", "outcome", "charge", "rate limits")

ROWS = (
    Row(
        "complete, with the engine's usage",
        "complete",
        "the engine's final usage",
        cases=(Case(Ending.COMPLETE, FINAL, True, 5, Source.FINAL, True),),
    ),
    Row(
        "complete, without a usage chunk",
        "complete",
        "the last running usage, else our own count of tokens (`usage_source` is `continuous` or `local`)",
        cases=(
            Case(Ending.COMPLETE, FINAL, False, 5, Source.CONTINUOUS, True),
            Case(Ending.COMPLETE, None, False, 5, Source.LOCAL, True),
        ),
    ),
    Row(
        "complete, with a usage that makes no sense",
        "complete",
        "our own count of tokens",
        cases=(
            Case(Ending.COMPLETE, {"prompt_tokens": -1}, True, 3, Source.LOCAL, True),
            Case(Ending.COMPLETE, {"prompt_tokens": True}, True, 3, Source.LOCAL, True),
            Case(Ending.COMPLETE, {"prompt_tokens": 2**60}, True, 3, Source.LOCAL, True),
        ),
    ),
    Row(
        "the engine says explicitly zero",
        "complete",
        "0: zero is a value",
        cases=(Case(Ending.COMPLETE, ZERO, True, 5, Source.FINAL, True),),
    ),
    Row(
        "the client left after at least one token of output",
        "client_left",
        "the usage so far, input and output",
        cases=(
            Case(Ending.CLIENT_LEFT, FINAL, False, 3, Source.CONTINUOUS, True),
            Case(Ending.CLIENT_LEFT, None, False, 3, Source.LOCAL, True),
        ),
    ),
    Row(
        "no purse had room for more of what outgrew its hold",
        "out_of_credit",
        "the usage so far, input and output",
        cases=(Case(Ending.OUT_OF_CREDIT, FINAL, False, 3, Source.CONTINUOUS, True),),
    ),
    Row(
        "no token of output, whoever ended it",
        "no_output",
        "0",
        "the request and its input stay used",
        cases=(
            Case(Ending.COMPLETE, NO_OUTPUT, True, 0, Source.FINAL, False),
            Case(Ending.CLIENT_LEFT, NO_OUTPUT, False, 0, Source.CONTINUOUS, False),
            Case(Ending.CLIENT_LEFT, None, False, 0, Source.NONE, False),
            Case(Ending.OUT_OF_CREDIT, NO_OUTPUT, False, 0, Source.CONTINUOUS, False),
        ),
    ),
    Row(
        "the engine failed in mid-stream",
        "upstream_error",
        "0",
        cases=(Case(Ending.UPSTREAM_ERROR, FINAL, False, 3, Source.CONTINUOUS, False),),
    ),
    Row(
        "a time limit passed in mid-stream",
        "timeout",
        "0",
        cases=(Case(Ending.TIMEOUT, FINAL, False, 3, Source.CONTINUOUS, False),),
    ),
    Row(
        "the server was drained and had to end it",
        "drained",
        "0",
        cases=(Case(Ending.DRAINED, FINAL, False, 3, Source.CONTINUOUS, False),),
    ),
    Row(
        "the server died, the hold expired",
        "expired",
        "0",
        "what was reserved leaves the window with its minute",
        proof="test_what_a_killed_server_held_is_free_after_its_lease_and_costs_nothing",
    ),
    Row(
        "the same question again",
        "complete",
        "what it costs, each time: there is no cache of answers yet, so nothing is charged as a hit of one",
        proof="test_the_same_question_twice_is_made_and_charged_twice",
    ),
    Row(
        "more was used than was held",
        "complete",
        "all of it: the hold, and an *overage* entry for the rest, with an alert; the next call finds less credit",
        proof="test_more_than_was_held_is_charged_as_overage_and_the_next_call_is_refused",
    ),
)
