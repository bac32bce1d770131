"""Members, end customers, models and client addresses may have limits."""

from typing import ClassVar
from uuid import UUID

from django.db import migrations, models
from django.db.migrations.operations.base import Operation

EACH = UUID(int=0)
SCOPE = models.CharField(
    choices=[
        ("organization", "Organization"),
        ("project", "Project"),
        ("key", "Key"),
        ("member", "Member"),
        ("customer", "End customer"),
        ("model", "Model"),
        ("address", "Client address"),
    ],
    max_length=16,
)
KNOWN_BY_ID = models.Q(scope__in=["organization", "project", "key"], label="") & ~models.Q(scope_id=EACH)
KNOWN_BY_TEXT = models.Q(scope__in=["member", "customer", "model", "address"]) & ~models.Q(label="")


class Migration(migrations.Migration):
    dependencies: ClassVar = [("keys", "0004_billing_period_budgets")]
    operations: ClassVar[list[Operation]] = [
        # With a default in the database: the version that runs beside this migration writes rows without a label.
        migrations.AddField(
            "scopelimits", "label", models.CharField(blank=True, db_default="", default="", max_length=128)
        ),
        migrations.AlterField("scopelimits", "scope", SCOPE),
        migrations.RemoveConstraint("scopelimits", "scope_limits_of_an_organization_are_its_own"),
        migrations.AddConstraint(
            "scopelimits",
            models.CheckConstraint(
                condition=models.Q(scope="organization", scope_id=models.F("organization_id"))
                | models.Q(scope__in=["project", "key", "member", "customer", "model", "address"]),
                name="scope_limits_of_an_organization_are_its_own",
            ),
        ),
        migrations.AddConstraint(
            "scopelimits",
            models.CheckConstraint(condition=KNOWN_BY_ID | KNOWN_BY_TEXT, name="scope_limits_of_subjects_have_a_label"),
        ),
    ]
