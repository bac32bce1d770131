"""Indexes by which the recomputation of usage finds its hours.

Records come in the order in which they are settled, so an index over block ranges finds the newest in a huge table and
costs next to nothing to keep.
"""

from typing import ClassVar

from django.db import migrations, models
from django.db.migrations.operations.base import Operation


class Migration(migrations.Migration):
    dependencies: ClassVar = [("inference", "0002_row_security"), ("billing", "0002_structure")]
    operations: ClassVar[list[Operation]] = [
        migrations.AddIndex("usagehour", models.Index(fields=["starts_at"], name="usage_hour_by_time")),
        migrations.AddIndex("usageday", models.Index(fields=["starts_at"], name="usage_day_by_time")),
        migrations.RunSQL(
            "CREATE INDEX usage_by_settlement ON billing_usagerecord USING brin (at) WITH (autosummarize = on)",
            "DROP INDEX usage_by_settlement",
        ),
    ]
