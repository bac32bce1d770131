"""The functions that move money as they are now, for databases that have them as they were before.

They looked up the items of a batch by reading whole tables as long as those were small, and went on so while they grew;
and one record of a wrong clock kept all later months from their partitions.
"""

from pathlib import Path
from typing import ClassVar

from django.db import migrations
from django.db.migrations.operations.base import Operation

SQL = Path(__file__).parent / "sql"
FILES = ("0002_partitions.sql", "0003_hold.sql", "0003_settle.sql", "0003_grow.sql", "0008_slices.sql")


class Migration(migrations.Migration):
    dependencies: ClassVar = [("billing", "0008_slices")]
    operations: ClassVar[list[Operation]] = [
        migrations.RunSQL(SQL.joinpath(file).read_text(), migrations.RunSQL.noop) for file in FILES
    ]
