"""Keeps tenants apart in our own tables, and grants the application what it needs of them."""

from django.db import migrations

from tenants import row_security

POLICIES = [
    *row_security.enable("tenants_organization", "id"),
    *row_security.enable("tenants_project"),
    *row_security.enable("tenants_membership"),
    *row_security.enable("tenants_auditevent"),
]
GRANTS = [
    *row_security.grant("tenants_user", "SELECT, INSERT, UPDATE"),
    *row_security.grant("tenants_user_groups", "SELECT, INSERT, UPDATE, DELETE"),
    *row_security.grant("tenants_user_user_permissions", "SELECT, INSERT, UPDATE, DELETE"),
    *row_security.grant("tenants_organization", "SELECT, INSERT, UPDATE"),
    *row_security.grant("tenants_project", "SELECT, INSERT, UPDATE"),
    *row_security.grant("tenants_membership", "SELECT, INSERT, UPDATE, DELETE"),
    *row_security.grant("tenants_auditevent", "SELECT, INSERT"),
    *row_security.grant("tenants_auditlink", "SELECT"),
]


class Migration(migrations.Migration):
    dependencies = [("tenants", "0002_audit_trail")]

    operations = [migrations.RunSQL([*POLICIES, *GRANTS], migrations.RunSQL.noop)]
