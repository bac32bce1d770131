"""The partitioned usage table, the ledger's guards, and who may read what."""

from pathlib import Path
from typing import ClassVar

from django.db import migrations
from django.db.migrations.operations.base import Operation

from tenants import row_security

SQL = Path(__file__).parent / "sql"
TENANT_TABLES = (
    "billing_purse",
    "billing_hold",
    "billing_ledgertransaction",
    "billing_ledgerentry",
    "billing_usagerecord",
)


def _guards() -> list[str]:
    statements = []
    for table in TENANT_TABLES:
        # Read only: what changes money runs inside the functions of the next migration.
        statements += row_security.enable(table) + row_security.grant(table, "SELECT")
    for table in ("billing_ledgertransaction", "billing_ledgerentry"):
        statements += row_security.append_only(table)
    statements += row_security.grant("billing_price", "SELECT, INSERT")
    statements += row_security.grant("billing_pricecomponent", "SELECT, INSERT")
    statements.append(f"GRANT USAGE ON SEQUENCE billing_pricecomponent_id_seq TO {row_security.ROLE}")
    return statements


class Migration(migrations.Migration):
    dependencies: ClassVar = [("billing", "0001_purses_ledger_and_prices")]
    operations: ClassVar[list[Operation]] = [
        migrations.RunSQL((SQL / "0002_structure.sql").read_text()),
        migrations.RunSQL((SQL / "0002_partitions.sql").read_text()),
        migrations.RunSQL("SELECT turnpike_ensure_partitions()"),
        migrations.RunSQL([*_guards()]),
    ]
