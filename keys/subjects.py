"""What a request is of beside its key: a member, an end customer, a model, a client address. Pure, for all sides.

Each is a text within an organisation. Its limits are found, and its rates and budgets counted, under a UUID made of
both, so that no table needs a row for a customer who has no limits of their own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Network, ip_address
from uuid import UUID, uuid5

from foundation import ids

MEMBER, CUSTOMER, MODEL, ADDRESS = "member", "customer", "model", "address"
SCOPES = (MEMBER, CUSTOMER, MODEL, ADDRESS)
EACH = UUID(int=0)
"""The scope id of a template: limits of each member, customer, model or address that has none of its own."""
LONGEST = 128


@dataclass(frozen=True, slots=True)
class Subject:
    """One of them; without a text, the template for each."""

    organization_id: UUID
    scope: str
    text: str

    @property
    def scope_id(self) -> UUID:
        """Return what its limits and counters are found by."""
        return uuid5(self.organization_id, f"{self.scope}:{self.text}") if self.text else EACH


def budget_of_each(template_id: UUID, text: str) -> UUID:
    """Return the budget that one of those has to whom a template applies: each has purses of its own."""
    return uuid5(template_id, text)


def member(user_id: UUID) -> str:
    """Return the text that stands for a member."""
    return ids.public("user", user_id)


def address(text: str) -> str:
    """Return the text that stands for a client address: an IPv6 client has at least a /64, so that is who it is.

    Raises ValueError for what is no address. A /64 is taken as itself.
    """
    found = ip_address(text.removesuffix("/64") if ":" in text else text)
    if isinstance(found, IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(IPv6Network((found.packed, 64), strict=False))


def is_name(text: str) -> bool:
    """Say whether a customer or a model can have this name: 1 to 128 printable characters."""
    return 0 < len(text) <= LONGEST and text.isprintable()


def of_request(
    organization_id: UUID,
    scopes: Iterable[str],
    *,
    member_id: UUID | None,
    customer: str,
    model: str,
    client: str | None,
) -> tuple[Subject, ...]:
    """Return those of a request that `scopes` (what the organisation uses) ask for, as far as they are known."""
    texts = {CUSTOMER: customer, MODEL: model, ADDRESS: client, MEMBER: member(member_id) if member_id else None}
    return tuple(
        Subject(organization_id, scope, text) for scope in SCOPES if scope in scopes and (text := texts[scope])
    )
