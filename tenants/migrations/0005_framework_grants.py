"""Grants the application what it needs of the tables that Django and allauth bring along.

None of them holds a tenant's data. A framework app added later needs a migration like this one.
"""

from django.db import migrations

from tenants import row_security

EVERYTHING = "SELECT, INSERT, UPDATE, DELETE"
READ = ["django_migrations", "django_content_type", "auth_permission"]
WRITE = [
    "auth_group",
    "auth_group_permissions",
    "django_admin_log",
    "django_session",
    "account_emailaddress",
    "account_emailconfirmation",
]


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0004_audit_chain"),
        ("account", "0009_emailaddress_unique_primary_email"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("sessions", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL(
            [
                *(statement for table in READ for statement in row_security.grant(table, "SELECT")),
                *(statement for table in WRITE for statement in row_security.grant(table, EVERYTHING)),
            ],
            [statement for table in READ + WRITE for statement in row_security.revoke(table)],
        ),
    ]
