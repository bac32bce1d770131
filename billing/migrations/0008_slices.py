"""Slices: holds that a process takes in advance (docs/decisions/0011-slices.md)."""

from pathlib import Path
from typing import ClassVar

from django.db import migrations, models
from django.db.migrations.operations.base import Operation

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    dependencies: ClassVar = [("billing", "0007_budget_modes")]
    operations: ClassVar[list[Operation]] = [
        migrations.AddField("hold", "slice_id", models.UUIDField(null=True)),
        migrations.AddField(
            "hold",
            "recalled",
            models.BooleanField(default=False, help_text="What is idle in this slice is wanted back."),
        ),
        migrations.AddIndex(
            "hold",
            models.Index(fields=["organization"], condition=models.Q(slice_id__isnull=False), name="hold_in_slices"),
        ),
        migrations.RunSQL((SQL / "0008_slices.sql").read_text()),
    ]
