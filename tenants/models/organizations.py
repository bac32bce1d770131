"""Organisations, which are the tenants, with their projects and the people in them."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from foundation import clock, ids
from tenants.tenancy import TenantQuerySet

SLUG_PATTERN = r"^[a-z0-9]+(-[a-z0-9]+)*$"


class Role(models.TextChoices):
    """What a person is in an organisation. What each role may do is the table in roles.py."""

    OWNER = "owner", "Owner"
    ADMIN = "admin", "Admin"
    DEVELOPER = "developer", "Developer"
    BILLING = "billing", "Billing"
    VIEWER = "viewer", "Viewer"


class Organization(models.Model):
    """A tenant: everything else belongs to exactly one."""

    class Status(models.TextChoices):
        """Whether its keys work."""

        ACTIVE = "active", "Active"
        SUSPENDED = "suspended", "Suspended"

    PREFIX = "org"

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=63, unique=True)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.ACTIVE)
    # An IANA name; the windows of budgets (day, week, month) turn over at its local midnight.
    time_zone = models.CharField(max_length=64, default="UTC")
    # Of web pages whose scripts may read what the gateway answers to its keys; "*" stands for all, none is the default.
    allowed_origins = ArrayField(models.CharField(max_length=255), default=list, db_default=[], blank=True)
    # Grows with every change a gateway must hear of; see configuration.py.
    config_version = models.PositiveBigIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(slug__regex=SLUG_PATTERN), name="organization_slug_is_lower_case_words"
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=["active", "suspended"]), name="organization_status_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(allowed_origins__len__lte=100), name="organization_has_at_most_100_origins"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def public_id(self) -> str:
        """The id as the outside world sees it."""
        return ids.public(self.PREFIX, self.id)


class ProjectQuerySet(TenantQuerySet["Project"]):
    """Projects, always of a named organisation."""

    def active(self) -> ProjectQuerySet:
        """Those in which keys work."""
        return self.filter(archived_at=None)


class Project(models.Model):
    """A part of an organisation with its own keys, limits and usage."""

    PREFIX = "proj"

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="projects")
    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=63)
    archived_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "slug"], name="project_slug_unique_in_organization"),
            # The target of foreign keys that must stay inside one organisation.
            models.UniqueConstraint(fields=["organization", "id"], name="project_names_its_organization"),
            models.CheckConstraint(
                condition=models.Q(slug__regex=SLUG_PATTERN), name="project_slug_is_lower_case_words"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def public_id(self) -> str:
        """The id as the outside world sees it."""
        return ids.public(self.PREFIX, self.id)


class Membership(models.Model):
    """A person's place in an organisation."""

    PREFIX = "mbr"

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    objects = TenantQuerySet["Membership"].as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "user"], name="membership_once_per_organization"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_role_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"

    @property
    def public_id(self) -> str:
        """The id as the outside world sees it."""
        return ids.public(self.PREFIX, self.id)
