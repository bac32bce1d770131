"""A usage record says how many replicas were asked, and whether a cache answered: what a receipt shows."""

from typing import ClassVar

from django.db import migrations, models
from django.db.migrations.operations.base import Operation


class Migration(migrations.Migration):
    dependencies: ClassVar = [("billing", "0005_corrections")]
    operations: ClassVar[list[Operation]] = [
        migrations.RunSQL(
            """
            ALTER TABLE billing_usagerecord
                ADD COLUMN attempts smallint NOT NULL DEFAULT 0,
                ADD COLUMN cache varchar(16) NOT NULL DEFAULT 'none'
            """,
            "ALTER TABLE billing_usagerecord DROP COLUMN attempts, DROP COLUMN cache",
            state_operations=[
                migrations.AddField("usagerecord", "attempts", models.PositiveSmallIntegerField(default=0)),
                migrations.AddField("usagerecord", "cache", models.CharField(max_length=16, default="none")),
            ],
        ),
    ]
