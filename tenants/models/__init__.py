"""The tables of tenants: people, organisations with their projects and memberships, and the audit trail."""

from tenants.models.audit import AuditEvent, AuditLink
from tenants.models.organizations import Membership, Organization, Project, Role
from tenants.models.people import User

__all__ = ["AuditEvent", "AuditLink", "Membership", "Organization", "Project", "Role", "User"]
