"""Limits as they stand: of each scope the strictest that applies, and who above it is stricter than it is itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from console.limit_forms import NUMBERS
from foundation import ids
from keys import limiting, scopes, subjects
from keys.effective import Limits, least
from keys.models import ApiKey, ScopeLimits
from tenants.models import Organization, Project, User

MOST_KEYS = 100


@dataclass(frozen=True, slots=True)
class Level:
    """One scope on the way down to a key: what it is, and what it states, its plan's limits among that."""

    scope: str
    stated: Sequence[Limits]


@dataclass(frozen=True, slots=True)
class Cell:
    """One limit of one scope: what applies, what the scope states itself, and who above is stricter, if anybody is."""

    applies: int | None
    own: int | None
    clipped_by: str


@dataclass(frozen=True, slots=True)
class Line:
    """All limits of one scope. `subject` names it in addresses; empty is each."""

    scope: str
    subject: str
    name: str
    cells: Sequence[Cell]
    models: Sequence[str] | None
    plan: str
    budgets: Sequence[Limits]
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """Scopes, one a line, with those limits for columns that any of them has."""

    lines: Sequence[Line]

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return [NUMBERS[index] for index in self._used]

    @property
    def rows(self) -> list[tuple[Line, list[Cell]]]:
        """Each line with its cells in these columns."""
        return [(line, [line.cells[index] for index in self._used]) for line in self.lines]

    @property
    def _used(self) -> list[int]:
        return [
            index for index in range(len(NUMBERS)) if any(line.cells[index].applies is not None for line in self.lines)
        ]


@dataclass(frozen=True, slots=True)
class Standing:
    """Every limit of an organisation: down the tree to its keys, and of what requests are of beside their key."""

    tree: Table
    others: Table
    more_keys: int
    rows: Sequence[ScopeLimits]
    names: dict[UUID, str]


def of(organization: Organization) -> Standing:
    """Read all limits of the organisation, its projects, its keys that work, and its subjects."""
    rows = list(ScopeLimits.objects.for_organization(organization).select_related("plan").order_by("scope", "pk"))
    by_scope = {row.scope_id: row for row in rows}
    names = scopes.names(organization, [row.pk for row in rows]) | _people(rows)
    keys = list(_keys(organization))
    # Those with limits of their own are never the ones that are left out.
    shown = sorted(keys, key=lambda key: key.lineage not in by_scope)[:MOST_KEYS]
    return Standing(
        tree=Table(list(_tree(organization, by_scope, shown))),
        others=Table([_subject(row, names[row.pk]) for row in rows if row.scope in subjects.SCOPES]),
        more_keys=len(keys) - len(shown),
        rows=rows,
        names=names,
    )


def above(organization: Organization, target: limiting.Target) -> list[Level]:
    """Return what stands above a target, from the organisation down."""
    if isinstance(target, Organization):
        return []
    found = [_level("organization", limiting.limits_of(organization))]
    if isinstance(target, ApiKey) and target.project is not None:
        found.append(_level("project", limiting.limits_of(target.project)))
    return found


def cells(parents: Sequence[Level], own: Sequence[Limits]) -> list[Cell]:
    """Return what applies to a scope that states `own` below these parents, limit by limit."""
    return [_cell(name, parents, own) for name in NUMBERS]


def stated(row: ScopeLimits | None) -> list[Limits]:
    """Return what a row says: limits of its own, and those of its plan."""
    if row is None:
        return []
    return [limiting.of(row)] if row.plan is None else [limiting.of(row), limiting.of(row.plan)]


def _cell(name: str, parents: Sequence[Level], own: Sequence[Limits]) -> Cell:
    mine = least(getattr(limits, name) for limits in own)
    values = [(least(getattr(limits, name) for limits in level.stated), level.scope) for level in parents]
    bounds = [(value, who) for value, who in values if value is not None]
    strictest, who = min(bounds, default=(None, ""), key=lambda bound: bound[0])
    if strictest is not None and (mine is None or strictest < mine):
        return Cell(strictest, mine, who)
    return Cell(mine, mine, "")


def _tree(organization: Organization, by_scope: dict[UUID, ScopeLimits], keys: Sequence[ApiKey]) -> Iterable[Line]:
    top = by_scope.get(organization.pk)
    whole = _level("organization", top)
    yield _line("organization", organization.public_id, organization.name, [], top)
    projects = Project.objects.for_organization(organization).filter(archived_at=None).order_by("created_at")
    for project in projects:
        row = by_scope.get(project.pk)
        yield _line("project", project.public_id, project.name, [whole], row, depth=1)
        middle = _level("project", row)
        for key in keys:
            if key.project_id == project.pk:
                own = by_scope.get(key.lineage)
                yield _line("key", key.public_id, key.name, [whole, middle], own, depth=2)


def _line(
    scope: str, subject: str, name: str, parents: Sequence[Level], row: ScopeLimits | None, depth: int = 0
) -> Line:
    own = stated(row)
    every = [limits.allowed_models for level in parents for limits in level.stated]
    every += [limits.allowed_models for limits in own]
    listed = [models for models in every if models is not None]
    models = sorted(frozenset.intersection(*listed)) if listed else None
    plan = row.plan.name if row is not None and row.plan is not None else ""
    budgets = [limits for limits in own if limits.budget_nusd is not None]
    return Line(scope, subject, name, cells(parents, own), models, plan, budgets, depth)


def _subject(row: ScopeLimits, name: str) -> Line:
    is_each = row.scope_id == subjects.EACH
    # An organisation's limits bind all of its subjects together, which is no bound of a single one.
    return _line(row.scope, "" if is_each else row.label, "Each" if is_each else name, [], row)


def _level(scope: str, row: ScopeLimits | None) -> Level:
    return Level(scope, stated(row))


def _keys(organization: Organization) -> Iterable[ApiKey]:
    keys = ApiKey.objects.for_organization(organization).active().filter(kind=ApiKey.Kind.INFERENCE)
    # A key that is being replaced has the limits of the one that replaces it.
    return keys.filter(replaced_by=None).order_by("created_at")


def _people(rows: Sequence[ScopeLimits]) -> dict[UUID, str]:
    members = {row.pk: row.label for row in rows if row.scope == subjects.MEMBER and row.scope_id != subjects.EACH}
    people = User.objects.in_bulk([ids.parse(User.PREFIX, label) for label in members.values()])
    known = {user.public_id: user.get_full_name() for user in people.values()}
    return {row: known.get(label, label) for row, label in members.items()}
