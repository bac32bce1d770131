"""The audit trail: who did what to what. Append-only, each entry chained to the one before by its hash.

The database does the chaining (migration 0004), as the transaction commits. An owner of the database who rewrites an
entry breaks the chain at that place, which `verify_chain` finds; cutting entries off the end shows only to somebody who
noted the last hash elsewhere, so `manage.py verify_audit` prints it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from django.db import connection
from django.db.models import Model

from foundation import ids
from tenants import isolation
from tenants.models import AuditEvent, Organization, User
from tenants.roles import ALL, Right


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who does something: every write names one.

    `rights` are those of the actor itself, in `organization_id` only if that is given; without them the actor has the
    rights of its role in the organisation it acts on (see authority.py).
    """

    kind: str
    id: str
    label: str
    rights: frozenset[Right] | None = None
    organization_id: UUID | None = None

    @property
    def is_operator(self) -> bool:
        """Whether this is the platform itself or one of its operators, above every organisation."""
        return self.rights == ALL and self.organization_id is None

    @property
    def user_id(self) -> UUID | None:
        """The person's id, if it is a person."""
        return ids.parse(User.PREFIX, self.id) if self.kind == AuditEvent.ActorKind.USER else None

    @classmethod
    def of_user(cls, user: User) -> Self:
        """A person, with the rights of their membership; a superuser has all rights everywhere."""
        operator = user.is_active and user.is_superuser
        return cls(AuditEvent.ActorKind.USER.value, user.public_id, user.email, ALL if operator else None)

    @classmethod
    def of_key(cls, *, public_id: str, label: str, scopes: Iterable[str], organization_id: UUID) -> Self:
        """A program with a management key: the scopes are its rights, in its own organisation only."""
        known = frozenset(Right(scope) for scope in scopes if scope in ALL)
        return cls(AuditEvent.ActorKind.KEY.value, public_id, label, known, organization_id)

    @classmethod
    def system(cls, name: str) -> Self:
        """The platform itself, by the name of the job or command."""
        return cls(AuditEvent.ActorKind.SYSTEM.value, "", name, ALL)


@dataclass(frozen=True, slots=True)
class Break:
    """Where the chain is broken; without a number for an event that stands outside of it."""

    seq: int | None
    reason: str


def record(
    actor: Actor, action: str, target: Model, organization: Organization | None = None, **facts: object
) -> AuditEvent:
    """Note that `actor` did `action` to `target`, as part of the present transaction.

    The event belongs to the given organisation, else to the target's; without any it is the platform's.
    """
    event = AuditEvent(
        organization_id=organization.pk if organization else _organization_of(target),
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_label=actor.label[:254],
        action=action,
        target_kind=str(target._meta.model_name),
        target_id=str(getattr(target, "public_id", target.pk)),
        facts=facts,
    )
    if event.organization_id is None:
        # Nobody's scope covers an event of the platform.
        with isolation.everything():
            event.save(force_insert=True)
    else:
        event.save(force_insert=True)
    return event


def verify_chain() -> Break | None:
    """Check every committed event against the chain; return the first break, or nothing."""
    with isolation.everything(), connection.cursor() as cursor:
        cursor.execute(_FIRST_BREAK)
        if row := cursor.fetchone():
            return Break(*row)
        cursor.execute(_OUTSIDE_THE_CHAIN)
        if row := cursor.fetchone():
            return Break(None, f"event {row[0]} is not in the chain")
    return None


def chain_end() -> tuple[int, str]:
    """Return number and hash (in hex) of the last entry, to be noted elsewhere; (0, "") if there is none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq, encode(hash, 'hex') FROM audit_trail ORDER BY seq DESC LIMIT 1")
        seq, digest = cursor.fetchone() or (0, "")
    return seq, digest


def _organization_of(target: Model) -> UUID | None:
    if isinstance(target, Organization):
        return target.pk
    organization_id: UUID | None = getattr(target, "organization_id", None)
    return organization_id


_FIRST_BREAK = """
WITH chain AS (
    SELECT link.seq, link.prev_hash, link.hash, event,
           lag(link.seq, 1, 0::bigint) OVER by_seq AS seq_before,
           lag(link.hash, 1, decode(repeat('00', 32), 'hex')) OVER by_seq AS hash_before
    FROM tenants_auditlink link LEFT JOIN tenants_auditevent event ON event.id = link.event_id
    WINDOW by_seq AS (ORDER BY link.seq)
), judged AS (
    SELECT seq, CASE
        WHEN seq <> seq_before + 1 THEN 'entries before it are missing'
        WHEN prev_hash <> hash_before THEN 'it does not follow the entry before it'
        WHEN (event).id IS NULL THEN 'its event is gone'
        WHEN hash <> turnpike_audit_hash(prev_hash, event) THEN 'its event was changed'
    END AS reason FROM chain
)
SELECT seq, reason FROM judged WHERE reason IS NOT NULL ORDER BY seq LIMIT 1
"""

_OUTSIDE_THE_CHAIN = """
SELECT event.id FROM tenants_auditevent event
WHERE NOT EXISTS (SELECT FROM tenants_auditlink link WHERE link.event_id = event.id) ORDER BY event.id LIMIT 1
"""
