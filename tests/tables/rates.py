"""The limits that a scope may have (architecture §5), and what refuses a request where a limit lets nothing through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """A limit; `nothing` is how it is set to block, `refusal` the answer then: its status and its code."""

    name: str
    unit: str
    nothing: Mapping[str, Any]
    refusal: tuple[int, str]

    def cells(self) -> list[str]:
        return [self.name, self.unit, f"{self.refusal[0]} `{self.refusal[1]}`"]


HEAD = ("limit", "unit", "refused with")
RATE, AT_ONCE = (429, "rate_limit_exceeded"), (429, "concurrency_limit_exceeded")

ROWS = (
    Row("`rpm`", "requests per minute", {"rpm": 0}, RATE),
    Row("`tpm`", "tokens per minute, input and output together", {"tpm": 0}, RATE),
    Row("`input_tpm`, `output_tpm`", "the same, each alone", {"output_tpm": 0}, RATE),
    Row("`concurrency`", "requests at once", {"concurrency": 0}, AT_ONCE),
    Row("`max_output_tokens`", "tokens of output in one request", {"max_output_tokens": 0}, (403, "forbidden")),
    Row(
        "`allowed_models`",
        "ids of models; absent allows all",
        {"allowed_models": frozenset()},
        (403, "model_not_allowed"),
    ),
    Row(
        "`budget_mode`, `budget_carries_over`",
        "[what a budget does when it is used up](#hard-soft-and-shadow-budgets), and what becomes of the rest",
        {"budget_nusd": 0, "budget_window": "day", "budget_mode": "hard", "budget_carries_over": True},
        (402, "budget_exceeded"),
    ),
    Row(
        "`budget_nano_usd` with `budget_window`",
        "nano-dollars (the column is `budget_nusd`) per [window](#windows-of-budgets); see [money](money.md#purses)",
        {"budget_nusd": 0, "budget_window": "day"},
        (402, "budget_exceeded"),
    ),
)
