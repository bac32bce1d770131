"""The organization's wallet: opening it, putting money in, and what it holds.

Every write is one call of a SQL function: the ledger and the purse change together or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction
from django.db.models import BigIntegerField, F, Func

from billing.errors import InvalidAmount
from billing.models import LedgerEntry, LedgerTransaction, Purse
from foundation.money import display
from tenants import audit, isolation
from tenants.audit import Actor

# One operation moves at most a million dollars: a slip of the keyboard should not be a fortune.
MOST_NUSD = 1_000_000 * 1_000_000_000


@dataclass(frozen=True, slots=True)
class Balance:
    """Nano-dollars. `posted_nusd` is settled; `held_nusd` of it is reserved by requests in flight.

    What lies idle in slices is free: it is there for new requests.
    """

    posted_nusd: int
    held_nusd: int
    credit_line_nusd: int = 0

    @property
    def available_nusd(self) -> int:
        """What new requests can still hold."""
        return self.posted_nusd + self.credit_line_nusd - self.held_nusd


def open_wallet(organization_id: UUID) -> None:
    """Give an organization its wallet; harmless when it has one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT turnpike_open_wallet(%s)", (organization_id,))


def balance(organization_id: UUID) -> Balance:
    """Read the wallet. An organization without one has nothing."""
    wallets = Purse.objects.filter(organization_id=organization_id, kind=Purse.Kind.WALLET)
    idle = Func(F("organization_id"), F("id"), function="turnpike_idle", output_field=BigIntegerField())
    found = wallets.values_list("posted_nusd", F("held_nusd") - idle, "credit_line_nusd").first()
    return Balance(*found) if found else Balance(0, 0)


@transaction.atomic
def credit(*, organization_id: UUID, amount_nusd: int, reference: str, memo: str, actor: Actor) -> UUID:
    """Add granted credit once per `reference`; repeating it changes nothing. Returns the ledger transaction."""
    if amount_nusd <= 0:
        raise InvalidAmount("Credit must be more than zero.", param="amount")
    return _post(
        organization_id,
        LedgerTransaction.Kind.CREDIT,
        reference,
        amount_nusd,
        memo,
        actor,
    )


@transaction.atomic
def adjust(*, organization_id: UUID, amount_nusd: int, reason: str, actor: Actor) -> UUID:
    """Correct a balance by hand, up or down. The reason is kept in the ledger and in the audit trail."""
    if not reason.strip():
        raise InvalidAmount("An adjustment needs a reason.", param="reason")
    return _post(
        organization_id,
        LedgerTransaction.Kind.ADJUSTMENT,
        None,
        amount_nusd,
        reason,
        actor,
    )


def _post(
    organization_id: UUID,
    kind: LedgerTransaction.Kind,
    reference: str | None,
    amount_nusd: int,
    memo: str,
    actor: Actor,
) -> UUID:
    if amount_nusd == 0 or abs(amount_nusd) > MOST_NUSD:
        raise InvalidAmount(f"The amount must not be zero and at most {display(MOST_NUSD)}.", param="amount")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, posted FROM turnpike_post(%s, %s, %s, %s, %s, %s, %s)",
            (organization_id, kind, reference, amount_nusd, LedgerEntry.Account.GRANTS, memo, actor.label),
        )
        transaction_id, posted = cursor.fetchone()
    if posted:
        with isolation.everything():
            written = LedgerTransaction.objects.select_related("organization").get(pk=transaction_id)
            audit.record(
                actor,
                f"wallet.{kind}",
                written,
                organization=written.organization,
                amount_nusd=amount_nusd,
                memo=memo,
            )
    return UUID(str(transaction_id))
