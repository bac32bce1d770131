"""Which limits a key has in effect. Pure: facts in, decisions out; for the gateway and for Django code alike.

Three scopes apply to a key at once (its organisation, its project, itself), and what a request is of beside that
(subjects.py) adds more; each may have limits of its own, a plan, or both. Within a scope the tighter of the two counts;
between scopes all of them do: rates and budgets are counted per scope, so a key can never have more than its project,
nor a project more than its organisation. Everywhere None is unlimited and 0 blocks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Self
from uuid import UUID

RATES = ("rpm", "tpm", "input_tpm", "output_tpm", "concurrency")
WINDOWS = frozenset({"request", "5h", "day", "week", "month", "billing_period", "lifetime"})
PER_REQUEST, LIFETIME = "request", "lifetime"
HARD, SOFT, SHADOW = "hard", "soft", "shadow"
MODES = frozenset({HARD, SOFT, SHADOW})
"""A hard budget refuses what it has no room for, a soft one notifies, a shadow counts what it would refuse."""
# The scopes of which there are many, so that an error has to say which; of an address or a member it is not told.
_NAMED = frozenset({"customer", "model"})


@dataclass(frozen=True, slots=True)
class Limits:
    """What a plan or a scope says. Rates are per minute, the budget in nano-dollars per window.

    A budget that carries over lends its next window what is unspent: at most one window's worth.
    """

    rpm: int | None = None
    tpm: int | None = None
    input_tpm: int | None = None
    output_tpm: int | None = None
    concurrency: int | None = None
    max_output_tokens: int | None = None
    allowed_models: frozenset[str] | None = None
    budget_nusd: int | None = None
    budget_window: str | None = None
    budget_mode: str = HARD
    budget_carries_over: bool = False

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Self:
        """Take them from a row's columns by name; other columns are left alone."""
        values: dict[str, Any] = {field.name: facts.get(field.name, field.default) for field in fields(cls)}
        models = values["allowed_models"]
        return cls(**{**values, "allowed_models": None if models is None else frozenset(models)})

    def columns(self) -> dict[str, Any]:
        """Return them as a row's columns."""
        models = None if self.allowed_models is None else sorted(self.allowed_models)
        return {field.name: getattr(self, field.name) for field in fields(self)} | {"allowed_models": models}


@dataclass(frozen=True, slots=True)
class Scope:
    """One scope with what limits it. `budget_id` names the purses of its budgets (the id of its ScopeLimits)."""

    scope: str
    scope_id: UUID
    budget_id: UUID
    own: Limits
    plan: Limits | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class Rate:
    """How fast a scope may go: per minute, and at once."""

    scope: str
    scope_id: str
    rpm: int | None
    tpm: int | None
    input_tpm: int | None
    output_tpm: int | None
    concurrency: int | None
    label: str = ""

    @property
    def who(self) -> str:
        """Name the scope for people."""
        return _who(self.scope, self.label)


@dataclass(frozen=True, slots=True)
class Cap:
    """What a scope may spend in each window: (budget_id, window) names the purse, which several caps may share.

    Only a hard one refuses anything.
    """

    scope: str
    scope_id: UUID
    budget_id: UUID
    limit_nusd: int
    window: str
    label: str = ""
    mode: str = HARD
    carries_over: bool = False

    @property
    def who(self) -> str:
        """Name the scope for people."""
        return _who(self.scope, self.label)


@dataclass(frozen=True, slots=True)
class Effective:
    """All that limits a key, or a request."""

    rates: tuple[Rate, ...]
    caps: tuple[Cap, ...]
    allowed_models: frozenset[str] | None
    max_output_tokens: int | None


UNLIMITED = Effective(rates=(), caps=(), allowed_models=None, max_output_tokens=None)


def merge(scopes: Iterable[Scope]) -> Effective:
    """Put the scopes of a key together. Scopes without a rate or a budget are left out of those."""
    known = list(scopes)
    stated = [limits for scope in known for limits in _both(scope)]
    return Effective(
        rates=tuple(rate for scope in known if (rate := _rate(scope)) is not None),
        caps=tuple(cap for scope in known for cap in _caps(scope)),
        allowed_models=_common(limits.allowed_models for limits in stated),
        max_output_tokens=least(limits.max_output_tokens for limits in stated),
    )


def excess(child: Limits, parents: Iterable[Limits]) -> list[str]:
    """Name the fields in which `child` asks for more than a parent has. Saying nothing asks for nothing.

    Budgets are compared where their windows are the same; one that refuses nothing is no bound.
    """
    return sorted({name for parent in parents for name in _wider(child, parent)})


def _wider(child: Limits, parent: Limits) -> Iterable[str]:
    for name in (*RATES, "max_output_tokens"):
        if _more(getattr(child, name), getattr(parent, name)):
            yield name
    same_window = child.budget_window == parent.budget_window
    if same_window and parent.budget_mode == HARD and _more(child.budget_nusd, parent.budget_nusd):
        yield "budget_nusd"
    asked, given = child.allowed_models, parent.allowed_models
    if asked is not None and given is not None and not asked <= given:
        yield "allowed_models"


def _more(asked: int | None, given: int | None) -> bool:
    return asked is not None and given is not None and asked > given


def _both(scope: Scope) -> tuple[Limits, ...]:
    return (scope.own,) if scope.plan is None else (scope.own, scope.plan)


def _rate(scope: Scope) -> Rate | None:
    values = {name: least(getattr(limits, name) for limits in _both(scope)) for name in RATES}
    if all(value is None for value in values.values()):
        return None
    return Rate(scope=scope.scope, scope_id=str(scope.scope_id), label=scope.label, **values)


def _caps(scope: Scope) -> Iterable[Cap]:
    """Of two budgets of one kind the tighter counts; those of different kinds both do."""
    budgets: dict[tuple[str, str, bool], int] = {}
    for limits in _both(scope):
        if limits.budget_nusd is not None and limits.budget_window is not None:
            kind = (limits.budget_window, limits.budget_mode, limits.budget_carries_over)
            budgets[kind] = min(limits.budget_nusd, budgets.get(kind, limits.budget_nusd))
    return [
        Cap(scope.scope, scope.scope_id, scope.budget_id, limit, window, scope.label, mode, carries_over)
        for (window, mode, carries_over), limit in budgets.items()
    ]


def _who(scope: str, label: str) -> str:
    return f'{scope} "{label}"' if scope in _NAMED and label else scope


def least(values: Iterable[int | None]) -> int | None:
    """Return the strictest of some limits, of which None is none."""
    return min((value for value in values if value is not None), default=None)


def _common(sets: Iterable[frozenset[str] | None]) -> frozenset[str] | None:
    stated = [models for models in sets if models is not None]
    return frozenset.intersection(*stated) if stated else None
