"""The tables of tenants: people, organisations with projects and memberships, the audit trail, answers to repeat."""

from tenants.models.audit import AuditEvent, AuditLink
from tenants.models.idempotency import IdempotentAnswer
from tenants.models.organizations import Membership, Organization, Project, Role
from tenants.models.people import User

__all__ = ["AuditEvent", "AuditLink", "IdempotentAnswer", "Membership", "Organization", "Project", "Role", "User"]
