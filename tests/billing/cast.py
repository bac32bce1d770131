"""Acme with a wallet, and requests of theirs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from billing import wallet
from billing.budgets import Cap
from billing.holds import Hold, HoldRequest, Holds
from billing.settlement import Bill, Settlements
from foundation import clock
from foundation.ids import uuid7
from foundation.stores import Postgres
from tenants import founding, isolation
from tenants.audit import Actor

SYSTEM = Actor.system("tests")
PROJECT, KEY = uuid7(), uuid7()


@dataclass(frozen=True)
class Budget:
    """A cap, as billing sees it."""

    limit_nusd: int
    window: str = "day"
    scope: str = "key"
    budget_id: UUID = field(default_factory=uuid7)
    mode: str = "hard"
    carries_over: bool = False
    label: str = ""

    @property
    def who(self) -> str:
        return self.scope


def organization_with(credit_nusd: int, name: str = "Acme") -> UUID:
    """Found an organization that has this much credit; return its id."""
    with isolation.everything():
        acme = founding.found_organization(name=name, slug=name.lower(), actor=SYSTEM)
        wallet.open_wallet(acme.pk)
        if credit_nusd:
            wallet.credit(
                organization_id=acme.pk, amount_nusd=credit_nusd, reference=f"seed-{name}", memo="", actor=SYSTEM
            )
    return acme.pk


def balance(organization_id: UUID) -> tuple[int, int]:
    """Posted and held."""
    with isolation.everything():
        found = wallet.balance(organization_id)
    return found.posted_nusd, found.held_nusd


def request(organization_id: UUID, amount_nusd: int, *caps: Cap, request_id: UUID | None = None) -> HoldRequest:
    """Ask for a hold."""
    return HoldRequest(request_id or uuid7(), organization_id, PROJECT, KEY, "sim", amount_nusd, caps=caps)


def bill(organization_id: UUID, hold: Hold, cost: int, **changes: object) -> Bill:
    """Write the bill of a request that completed."""
    facts: dict[str, object] = {
        "request": hold.request_id,
        "organization": organization_id,
        "project": PROJECT,
        "key": KEY,
        "customer": "",
        "model": "sim",
        "pool": "sim",
        "replica": "http://127.0.0.1:1",
        "endpoint": "chat.completions",
        "streamed": False,
        "outcome": "complete",
        "source": "final",
        "status": 200,
        "prompt_tokens": 1,
        "cached_tokens": 0,
        "completion_tokens": 1,
        "unit": "",
        "quantity": 0,
        "price_version": 1,
        "cost": cost,
        "purses": hold.purses,
        "ttft_ms": 1,
        "latency_ms": 2,
        "started_at": clock.now(),
    }
    return Bill(**(facts | changes))  # type: ignore[arg-type]  # the types are those of the fields


@dataclass(frozen=True)
class Money:
    """The asynchronous side of billing on one database."""

    postgres: Postgres
    holds: Holds
    settlements: Settlements


@asynccontextmanager
async def money(url: str, lease_seconds: float = 20) -> AsyncIterator[Money]:
    """Open the stores as a gateway does."""
    postgres = Postgres(url)
    await postgres.open()
    try:
        yield Money(postgres, Holds(postgres, lease_seconds), Settlements(postgres))
    finally:
        await postgres.close()
