"""Re-rating: what a corrected price would have charged, and the entries that make up for it.

A price is corrected by publishing a version whose start lies in the past. History is never rewritten: the usage
records and their charges stay, and each organization gets one compensating transaction, with one `Correction` for
each request. A dry run comes first. Repeating a confirmed run changes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Sum

from billing.models import Correction, LedgerEntry, LedgerTransaction, Price, UsageRecord
from billing.rates import Rates, in_force
from foundation.ids import lowest_at, uuid7
from foundation.money import display, nano
from tenants import audit, isolation
from tenants.audit import Actor
from tenants.models import Organization

BILLABLE = ("complete", "client_left", "out_of_credit")
CHUNK = 5_000


@dataclass(slots=True)
class Impact:
    """What a re-rating means for one organization, in nano-dollars. A negative difference is given back."""

    organization_id: UUID
    requests: int = 0
    charged_nusd: int = 0
    corrected_nusd: int = 0
    differences: dict[UUID, tuple[int, int]] = field(default_factory=dict, repr=False)

    @property
    def difference_nusd(self) -> int:
        """What the organization still has to pay, or gets back."""
        return sum(difference for difference, _ in self.differences.values())

    def __str__(self) -> str:
        return (
            f"{self.requests} requests, charged {display(self.charged_nusd)}, corrected "
            f"{display(self.corrected_nusd)}, still to post {display(self.difference_nusd)}"
        )


def preview(*, model: str, since: datetime) -> list[Impact]:
    """Say what the present prices of a model change for its requests since an instant. Nothing is written."""
    versions = _versions(model)
    impacts: dict[UUID, Impact] = {}
    with isolation.everything():
        for records in _chunks(model, since):
            evened = _evened_out([record.request_id for record in records])
            for record in records:
                rates = in_force(versions, record.started_at)
                if rates is not None and rates.version != record.price_version:
                    impact = impacts.setdefault(record.organization_id, Impact(record.organization_id))
                    _weigh(impact, record, rates, evened[record.request_id])
    return sorted(impacts.values(), key=lambda impact: impact.organization_id)


def confirm(*, model: str, since: datetime, actor: Actor) -> list[Impact]:
    """Post what `preview` finds: one compensating transaction for each organization that has a difference.

    Each is committed by itself: a wallet stays locked for its own entries only, while requests wait for it.
    """
    impacts = preview(model=model, since=since)
    for impact in impacts:
        if impact.differences:
            with transaction.atomic(), isolation.everything():
                _post(impact, model, actor)
    return impacts


def _versions(model: str) -> tuple[Rates, ...]:
    prices = Price.objects.filter(model=model).order_by("effective_from").prefetch_related("components")
    return tuple(
        Rates(
            price.version,
            price.effective_from,
            {component.kind: nano(component.usd_per_million) for component in price.components.all()},
        )
        for price in prices
    )


def _chunks(model: str, since: datetime) -> Iterator[list[UsageRecord]]:
    last = lowest_at(since)
    while True:
        # What no price was asked for, like the counting of tokens, costs nothing at any.
        found = UsageRecord.objects.filter(model=model, outcome__in=BILLABLE, request_id__gt=last)
        found = found.exclude(price_version=None)
        records = list(found.order_by("request_id")[:CHUNK])
        if not records:
            return
        yield records
        last = records[-1].request_id


def _evened_out(request_ids: list[UUID]) -> defaultdict[UUID, int]:
    sums = Correction.objects.filter(request_id__in=request_ids).values_list("request_id")
    return defaultdict(int, sums.annotate(total=Sum("difference_nusd")))


def _weigh(impact: Impact, record: UsageRecord, rates: Rates, evened_out: int) -> None:
    corrected = rates.cost(
        prompt_tokens=record.prompt_tokens,
        cached_tokens=record.cached_tokens,
        completion_tokens=record.completion_tokens,
        unit=record.unit,
        quantity=record.quantity,
    )
    impact.requests += 1
    impact.charged_nusd += record.cost_nusd
    impact.corrected_nusd += corrected
    difference = corrected - record.cost_nusd - evened_out
    if difference:
        impact.differences[record.request_id] = (difference, rates.version)


def _post(impact: Impact, model: str, actor: Actor) -> None:
    transaction_id = uuid7()
    if impact.difference_nusd:
        transaction_id = _move(impact, model, actor)
    Correction.objects.bulk_create(
        [
            Correction(
                request_id=request_id,
                organization_id=impact.organization_id,
                price_version=version,
                difference_nusd=difference,
                transaction_id=transaction_id,
            )
            for request_id, (difference, version) in impact.differences.items()
        ],
        batch_size=CHUNK,
    )
    audit.record(
        actor,
        "usage.rerated",
        Organization.objects.get(pk=impact.organization_id),
        model=model,
        requests=len(impact.differences),
        difference_nusd=impact.difference_nusd,
    )


def _move(impact: Impact, model: str, actor: Actor) -> UUID:
    memo = f"Corrected price of {model}: {len(impact.differences)} requests"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM turnpike_post(%s, %s, NULL, %s, %s, %s, %s)",
            (
                impact.organization_id,
                LedgerTransaction.Kind.RERATING,
                -impact.difference_nusd,
                LedgerEntry.Account.REVENUE,
                memo,
                actor.label,
            ),
        )
        (transaction_id,) = cursor.fetchone()
    return UUID(str(transaction_id))
