"""The stable views for auditors (docs/money.md)."""

from pathlib import Path
from typing import ClassVar

from django.db import migrations
from django.db.migrations.operations.base import Operation

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    dependencies: ClassVar = [("billing", "0003_functions")]
    operations: ClassVar[list[Operation]] = [migrations.RunSQL((SQL / "0004_audit_views.sql").read_text())]
