"""Rollups sum up what is charged beside tokens. The version that is still running writes none of it: zeros."""

from typing import ClassVar

from django.db import migrations, models
from django.db.migrations.operations.base import Operation


class Migration(migrations.Migration):
    dependencies: ClassVar = [("inference", "0009_longest_recordings")]
    operations: ClassVar[list[Operation]] = [
        migrations.AddField(table, unit, models.BigIntegerField(db_default=0))
        for table in ("usagehour", "usageday")
        for unit in ("seconds", "characters", "images")
    ]
