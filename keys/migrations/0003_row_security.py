"""Keeps tenants apart in plans, limits and keys, and grants the application what it needs of them.

Row-level security does not look at what a foreign key points to, so a key's project is held to the key's organisation
by a foreign key over both columns.
"""

from django.db import migrations

from tenants import row_security

POLICIES = [
    # Plans without an organisation are the platform's: everybody may read them.
    *row_security.enable("keys_plan", shared=True),
    *row_security.enable("keys_scopelimits"),
    *row_security.enable("keys_apikey"),
]
GRANTS = [
    *row_security.grant("keys_plan", "SELECT, INSERT, UPDATE, DELETE"),
    *row_security.grant("keys_scopelimits", "SELECT, INSERT, UPDATE, DELETE"),
    *row_security.grant("keys_apikey", "SELECT, INSERT, UPDATE"),
]
SAME_ORGANIZATION = """
ALTER TABLE keys_apikey ADD CONSTRAINT api_key_project_of_its_organization
FOREIGN KEY (organization_id, project_id) REFERENCES tenants_project (organization_id, id)
DEFERRABLE INITIALLY DEFERRED
"""


class Migration(migrations.Migration):
    dependencies = [("keys", "0002_api_keys"), ("tenants", "0003_row_security")]

    operations = [
        migrations.RunSQL([*POLICIES, *GRANTS], migrations.RunSQL.noop),
        migrations.RunSQL(
            SAME_ORGANIZATION, "ALTER TABLE keys_apikey DROP CONSTRAINT api_key_project_of_its_organization"
        ),
    ]
