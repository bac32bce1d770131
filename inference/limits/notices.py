"""Telling people that a budget is half spent, nearly spent, spent. The settlement writes the notices; this reads them.

One mail for all that an organisation has not been told yet, to its owners and to whoever pays. The notices are locked
while it is sent and marked with it, so that two workers never send the same; what failed is sent by the next run.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.mail import EmailMessage

from billing.budgets import LIFETIME
from billing.models import BudgetNotice
from foundation import clock, ids, money
from foundation.jobs import run_after_commit
from keys import scopes, subjects
from tenants import isolation
from tenants.models import Membership, Organization, Role, User

MOST_LINES = 50
_TOLD = (Role.OWNER, Role.BILLING)


@dataclass(frozen=True, slots=True)
class Told:
    """A notice, and what people call those whose budget it is about."""

    notice: BudgetNotice
    name: str

    @property
    def whose(self) -> str:
        """Name the scope in a sentence."""
        scope = self.notice.purse.scope
        return f"the {scope}" if scope == "organization" else f"the {scope} “{self.name}”"


def name_all(organization: Organization, notices: Iterable[BudgetNotice]) -> list[Told]:
    """Return notices of one organisation with names."""
    found = list(notices)
    known = scopes.names(organization, {notice.purse.budget_id for notice in found if notice.purse.budget_id})
    people = _people({notice.purse.label for notice in found if notice.purse.scope == subjects.MEMBER})
    return [Told(notice, _name(notice, known, people)) for notice in found]


def announce() -> int:
    """Have everybody told who has not been yet; return how many organisations there are."""
    with isolation.everything():
        due = BudgetNotice.objects.filter(mailed_at=None).values_list("organization_id", flat=True).distinct()
        for organization_id in (found := list(due)):
            run_after_commit("inference.tasks.mail_budget_notices", organization_id=str(organization_id))
    return len(found)


def mail(organization_id: UUID) -> int:
    """Send one organisation's mail; return how many notices it was about. Raises what the mail server raises."""
    with isolation.scope_to(organization_id):
        organization = Organization.objects.get(pk=organization_id)
        rows = BudgetNotice.objects.for_organization(organization).filter(mailed_at=None)
        # Another worker may be at it.
        locked = list(rows.select_for_update(skip_locked=True, no_key=True, of=("self",)).order_by("pk"))
        if not locked:
            return 0
        with_purses = BudgetNotice.objects.filter(pk__in=[row.pk for row in locked]).select_related("purse")
        _send(organization, name_all(organization, _highest(with_purses.order_by("pk"))))
        rows.filter(pk__in=[row.pk for row in locked]).update(mailed_at=clock.now())
        return len(locked)


def _highest(notices: Iterable[BudgetNotice]) -> list[BudgetNotice]:
    """Of the marks that one budget passed at once, the last one says it all."""
    found: dict[tuple[UUID, str], BudgetNotice] = {}
    for notice in notices:
        other = found.get((notice.purse_id, notice.mode))
        if other is None or other.percent < notice.percent:
            found[notice.purse_id, notice.mode] = notice
    return list(found.values())


def _send(organization: Organization, told: list[Told]) -> None:
    members = Membership.objects.filter(organization=organization, role__in=_TOLD, user__is_active=True)
    recipients = list(members.order_by("user__email").values_list("user__email", flat=True))
    if not recipients:
        return
    lines = [_line(organization, one) for one in told[:MOST_LINES]]
    if len(told) > MOST_LINES:
        lines.append(f"… and {len(told) - MOST_LINES} more.")
    subject = f"{organization.name}: {len(told)} budgets have passed a mark"
    if len(told) == 1:
        subject = f"{organization.name}: {told[0].notice.percent} % of the budget of {told[0].whose} is spent"
    EmailMessage(" ".join(subject.split()), "\n\n".join(lines) + "\n", to=recipients).send()


def _line(organization: Organization, told: Told) -> str:
    notice = told.notice
    what = f"{told.whose[0].upper()}{told.whose[1:]} has spent {money.display(notice.spent_nusd)} of a budget of"
    first = f"{what} {money.display(notice.limit_nusd)} ({notice.percent} %)."
    refuses = notice.mode == BudgetNotice.Mode.HARD
    then = "When it is used up, requests are refused" if refuses else "It only notifies: no request is refused for it"
    if notice.purse.window == LIFETIME or notice.purse.ends_at is None:
        return f"{first} {then}."
    ends = notice.purse.ends_at.astimezone(ZoneInfo(organization.time_zone))
    return f"{first} {then}{' until it is full again' if refuses else '. Its window ends'} at {ends:%Y-%m-%d %H:%M %Z}."


def _name(notice: BudgetNotice, known: dict[UUID, str], people: dict[str, str]) -> str:
    label, budget = notice.purse.label, notice.purse.budget_id
    return people.get(label) or (budget and known.get(budget)) or label


def _people(labels: set[str]) -> dict[str, str]:
    wanted: dict[Any, str] = {ids.parse(User.PREFIX, label): label for label in labels}
    return {wanted[user.pk]: user.email for user in User.objects.filter(pk__in=wanted)}
