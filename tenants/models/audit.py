"""The audit trail: events, and the chain of hashes that makes a change to any of them show.

Both tables are append-only. Triggers of the database fill the chain and refuse every other write (see migration 0004).
"""

from __future__ import annotations

from typing import ClassVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from foundation import clock, ids
from tenants.models.organizations import Organization
from tenants.tenancy import TenantQuerySet


class AuditEvent(models.Model):
    """Who did what to what, and when. Written by audit.record only."""

    class ActorKind(models.TextChoices):
        """What kind of somebody acted."""

        USER = "user", "User"
        KEY = "key", "Management key"
        SYSTEM = "system", "System"

    PREFIX = "evt"

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    # Empty for events of the platform itself.
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, null=True, blank=True, related_name="audit_events"
    )
    actor_kind = models.CharField(max_length=16, choices=ActorKind.choices)
    actor_id = models.CharField(max_length=64, blank=True)
    actor_label = models.CharField(max_length=254)
    action = models.CharField(max_length=64)
    target_kind = models.CharField(max_length=64)
    target_id = models.CharField(max_length=64)
    facts = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    at = models.DateTimeField(default=clock.now, editable=False)

    objects = TenantQuerySet["AuditEvent"].as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["organization", "-at"], name="audit_event_by_organization")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(actor_kind__in=["user", "key", "system"]), name="audit_event_actor_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} by {self.actor_label}"

    @property
    def public_id(self) -> str:
        """The id as the outside world sees it."""
        return ids.public(self.PREFIX, self.id)


class AuditLink(models.Model):
    """An event's place in the chain, made by the database as the event's transaction commits.

    Linking at commit, and not as the event is written, keeps the lock on the chain's end for an instant only:
    a slow transaction that has been audited holds up nobody. Whoever reads a link sees seq without gaps from 1.
    """

    seq = models.BigIntegerField(primary_key=True)
    event = models.OneToOneField(AuditEvent, on_delete=models.PROTECT, related_name="link")
    prev_hash = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["prev_hash"], name="audit_chain_does_not_fork"),
        ]

    def __str__(self) -> str:
        return f"#{self.seq}"
