"""A pool may have a limit of requests at once, which all organizations share: it protects the engines."""

from typing import ClassVar

from django.db import migrations, models
from django.db.migrations.operations.base import Operation


class Migration(migrations.Migration):
    dependencies: ClassVar = [("inference", "0004_idempotency_claims")]
    operations: ClassVar[list[Operation]] = [
        migrations.AddField(
            "pool",
            "max_concurrency",
            models.PositiveIntegerField(
                "requests at once",
                null=True,
                blank=True,
                help_text="Of all organizations together; empty is unlimited.",
            ),
        ),
    ]
