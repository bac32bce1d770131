"""API keys. The secret itself is nowhere in the database: only its keyed digest is."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from foundation import clock, ids
from tenants.models import Organization, Project
from tenants.tenancy import TenantQuerySet


class ApiKeyQuerySet(TenantQuerySet["ApiKey"]):
    """Keys, always of a named organisation."""

    def active(self) -> ApiKeyQuerySet:
        """Those that are neither revoked nor expired."""
        return self.filter(models.Q(expires_at=None) | models.Q(expires_at__gt=clock.now()), revoked_at=None)


class ApiKey(models.Model):
    """A credential of a program: of a project for inference, or of an organisation for managing it."""

    class Kind(models.TextChoices):
        """What it opens."""

        INFERENCE = "inference", "Inference"
        MANAGEMENT = "management", "Management"

    class Mode(models.TextChoices):
        """Whether it is meant for real traffic."""

        LIVE = "live", "Live"
        TEST = "test", "Test"

    PREFIX = "key"

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="api_keys")
    project = models.ForeignKey(Project, on_delete=models.PROTECT, null=True, blank=True, related_name="api_keys")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    mode = models.CharField(max_length=8, choices=Mode.choices)
    # What people may see of the secret: its first 13 and its last 4 characters.
    display = models.CharField(max_length=32, editable=False)
    digest = models.BinaryField(max_length=32, unique=True, editable=False)
    # Names of rights (tenants.roles.Right) a management key has; inference keys have none.
    scopes = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_reason = models.CharField(max_length=200, blank=True, editable=False)
    # When the end of the key was noted in the audit trail; the key itself ends by the clock, not by this.
    expiry_noted_at = models.DateTimeField(null=True, blank=True, editable=False)
    # The first of the keys that came from it by rotation. Limits and budgets of a key hang on this
    # (ScopeLimits.scope_id), so an old and a new key share them, and rotating fills no budget up.
    lineage = models.UUIDField(editable=False)
    replaced_by = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="replaces", editable=False
    )
    metadata = models.JSONField(default=dict, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["organization", "-created_at"], name="api_key_newest_first"),
            models.Index(
                fields=["expires_at"],
                name="api_key_expiry_to_note",
                condition=models.Q(expires_at__isnull=False, revoked_at=None, expiry_noted_at=None),
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(kind="inference", project__isnull=False, scopes=[])
                | models.Q(kind="management", project=None),
                name="api_key_kind_says_what_it_opens",
            ),
            models.CheckConstraint(condition=models.Q(mode__in=["live", "test"]), name="api_key_mode_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.display})"

    @property
    def public_id(self) -> str:
        """The id as the outside world sees it."""
        return ids.public(self.PREFIX, self.id)
