"""Who may read and write what. The catalogue and the fleet belong to the platform: no tenant, no policy."""

from typing import ClassVar

from django.db import migrations
from django.db.migrations.operations.base import Operation

from tenants import row_security


def _guards() -> list[str]:
    statements = []
    for table in ("inference_model", "inference_pool", "inference_deployment", "inference_replica"):
        statements += row_security.grant(table, "SELECT, INSERT, UPDATE, DELETE")
    for table in ("inference_usagehour", "inference_usageday"):
        statements += row_security.enable(table) + row_security.grant(table, "SELECT, INSERT, UPDATE, DELETE")
    for table in ("inference_deployment", "inference_usagehour", "inference_usageday"):
        statements.append(f"GRANT USAGE ON SEQUENCE {table}_id_seq TO {row_security.ROLE}")
    return statements


class Migration(migrations.Migration):
    dependencies: ClassVar = [("inference", "0001_catalogue_fleet_and_rollups")]
    operations: ClassVar[list[Operation]] = [migrations.RunSQL([*_guards()])]
