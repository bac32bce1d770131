"""How rows of a tenant are asked for: always by naming the tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models

if TYPE_CHECKING:
    from tenants.models import Organization


class TenantQuerySet[Row: models.Model](models.QuerySet[Row]):
    """A query set of rows that belong to an organisation. Row-level security is the second guard, this is the first."""

    def for_organization(self, organization: Organization) -> Self:
        """Only what this organisation owns."""
        return self.filter(organization_id=organization.pk)
