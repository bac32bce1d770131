"""Budgets may last for a billing period, from the day of the month on which the organization was created."""

from pathlib import Path
from typing import ClassVar

from django.db import migrations
from django.db.migrations.operations.base import Operation

SQL = Path(__file__).parent / "sql" / "0006_billing_period.sql"


class Migration(migrations.Migration):
    dependencies: ClassVar = [("billing", "0005_corrections"), ("tenants", "0001_people_and_organizations")]
    operations: ClassVar[list[Operation]] = [migrations.RunSQL(SQL.read_text())]
