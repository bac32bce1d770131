"""The functions that move money (docs/money.md)."""

from pathlib import Path
from typing import ClassVar

from django.db import migrations
from django.db.migrations.operations.base import Operation

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    dependencies: ClassVar = [("billing", "0002_structure")]
    operations: ClassVar[list[Operation]] = [
        # The bodies may name columns that later migrations add; nobody calls them before those have run.
        migrations.RunSQL("SET LOCAL check_function_bodies = off"),
        migrations.RunSQL((SQL / "0003_hold.sql").read_text()),
        migrations.RunSQL((SQL / "0003_settle.sql").read_text()),
        migrations.RunSQL((SQL / "0003_grow.sql").read_text()),
        migrations.RunSQL((SQL / "0003_statements.sql").read_text()),
    ]
