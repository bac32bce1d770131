"""The limits of subjects: members, end customers, models, client addresses. Hot path: no Django here.

Only organisations that have any are asked for (`Caller.finer`). Like keys, limits are cached by each process for
`fresh_seconds`, dropped when news of their organisation arrives, and distrusted when the request knows of a newer
version of the organisation. All that are missing just now are read in one round trip.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from foundation.batching import Batcher
from foundation.errors import Overloaded
from keys.effective import UNLIMITED, Effective, Limits, Scope, merge
from keys.subjects import EACH, Subject, budget_of_each

LIMITS_OF_SUBJECTS = """
SELECT jsonb_build_object(
    'organization', asked.organization, 'scope', asked.scope, 'text', asked.text, 'fence', organization.config_version,
    'row', (
        SELECT jsonb_build_object('id', limits.id, 'scope_id', limits.scope_id, 'own', to_jsonb(limits),
            'plan', CASE WHEN plan.id IS NOT NULL THEN to_jsonb(plan) END)
        FROM keys_scopelimits limits LEFT JOIN keys_plan plan ON plan.id = limits.plan_id
        WHERE limits.organization_id = asked.organization AND limits.scope = asked.scope
            AND limits.scope_id IN (asked.scope_id, '00000000-0000-0000-0000-000000000000')
        -- The template has the smallest id there is: a row of the subject's own comes first.
        ORDER BY limits.scope_id DESC LIMIT 1))
FROM jsonb_to_recordset(%s::jsonb) AS asked(organization uuid, scope text, scope_id uuid, text text)
    -- By its key, whatever the planner thinks of how many are asked for and how many there are.
    JOIN LATERAL (
        SELECT config_version FROM tenants_organization WHERE id = asked.organization LIMIT 1
    ) organization ON true
"""
"""For each subject asked for, its own limits, else the template's, else none. Run it where every tenant is seen."""

MOST_SUBJECTS = 20_000
RETRY_AFTER_SECONDS = 1.0

type Fetch = Callable[[str], Awaitable[Sequence[dict[str, Any]]]]
"""Runs LIMITS_OF_SUBJECTS with a list of subjects in JSON; returns its objects."""


@dataclass(frozen=True, slots=True)
class _Entry:
    scope: Scope | None
    fence: int
    loaded_at: float


@dataclass(frozen=True, slots=True)
class _Ask:
    subject: Subject
    fence: int


class FinerLimits:
    """Answers for one process what limits subjects."""

    def __init__(self, fetch: Fetch, fresh_seconds: float = 5.0) -> None:
        self._fetch = fetch
        self._fresh_seconds = fresh_seconds
        self._entries: OrderedDict[Subject, _Entry] = OrderedDict()
        self._subjects: defaultdict[UUID, set[Subject]] = defaultdict(set)
        self._news = 0
        self._asking = Batcher(self._ask_all, name="finer-limits", max_batch=256, flights=2)

    async def of(self, subjects: Sequence[Subject], fence: int) -> Effective:
        """Return all that limits these subjects, not older than version `fence` of their organisation.

        Raises Overloaded if the database does not answer and nothing fresh is cached.
        """
        entries = [self._known(subject, fence) for subject in subjects]
        if None in entries:
            entries = list(await asyncio.gather(*(self._find(subject, fence) for subject in subjects)))
        scopes = [entry.scope for entry in entries if entry is not None and entry.scope is not None]
        return merge(scopes) if scopes else UNLIMITED

    def forget(self, organization_id: UUID) -> None:
        """Drop what is known of an organisation's subjects, and do not keep what look-ups under way will bring."""
        self._news += 1
        for subject in self._subjects.pop(organization_id, ()):
            del self._entries[subject]

    def _known(self, subject: Subject, fence: int) -> _Entry | None:
        entry = self._entries.get(subject)
        if entry is None or entry.fence < fence or self._is_stale(entry):
            return None
        return entry

    async def _find(self, subject: Subject, fence: int) -> _Entry:
        known = self._known(subject, fence)
        if known is not None:
            return known
        try:
            return await self._asking.submit(_Ask(subject, fence))
        except Exception as cause:  # The boundary to the store: whatever it raises, it did not answer.
            entry = self._entries.get(subject)
            if entry is not None and not self._is_stale(entry):
                return entry
            raise Overloaded(retry_after=RETRY_AFTER_SECONDS) from cause

    async def _ask_all(self, asks: list[_Ask]) -> list[_Entry | Exception]:
        fences: dict[Subject, int] = {}
        for ask in asks:
            fences[ask.subject] = max(ask.fence, fences.get(ask.subject, 0))
        news, started_at = self._news, time.monotonic()
        rows = await self._fetch(orjson.dumps([_as_item(subject) for subject in fences]).decode())
        found: dict[Subject, _Entry] = {}
        for row in rows:
            subject = Subject(UUID(row["organization"]), row["scope"], row["text"])
            # What was read after a version was known includes it, also where a restored database counts lower.
            entry = _Entry(_scope(subject, row["row"]), max(row["fence"], fences[subject]), started_at)
            found[subject] = entry
            if news == self._news:
                self._remember(subject, entry)
        return [found.get(ask.subject) or Overloaded() for ask in asks]

    def _remember(self, subject: Subject, entry: _Entry) -> None:
        self._entries[subject] = entry
        self._entries.move_to_end(subject)
        self._subjects[subject.organization_id].add(subject)
        if len(self._entries) > MOST_SUBJECTS:
            self._evict_oldest()

    def _evict_oldest(self) -> None:
        subject, _ = self._entries.popitem(last=False)
        siblings = self._subjects[subject.organization_id]
        siblings.discard(subject)
        if not siblings:
            del self._subjects[subject.organization_id]

    def _is_stale(self, entry: _Entry) -> bool:
        return time.monotonic() - entry.loaded_at >= self._fresh_seconds


def _as_item(subject: Subject) -> dict[str, Any]:
    return {
        "organization": subject.organization_id,
        "scope": subject.scope,
        "scope_id": subject.scope_id,
        "text": subject.text,
    }


def _scope(subject: Subject, row: dict[str, Any] | None) -> Scope | None:
    if row is None:
        return None
    row_id = UUID(row["id"])
    return Scope(
        scope=subject.scope,
        scope_id=subject.scope_id,
        budget_id=budget_of_each(row_id, subject.text) if UUID(row["scope_id"]) == EACH else row_id,
        own=Limits.of(row["own"]),
        plan=None if row["plan"] is None else Limits.of(row["plan"]),
        label=subject.text,
    )
