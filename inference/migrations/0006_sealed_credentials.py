"""A pool may keep its engines' credential itself, sealed; a replica's URL is one that all parsers read alike."""

from typing import ClassVar

from django.db import migrations, models
from django.db.migrations.operations.base import Operation
from django.db.models import Q

import inference.models.fleet

PLAIN_URL = r"^https?://[A-Za-z0-9._:\[\]-]+(/[A-Za-z0-9._~-]+)*/?$"


class Migration(migrations.Migration):
    dependencies: ClassVar = [("inference", "0005_pool_concurrency")]
    operations: ClassVar[list[Operation]] = [
        migrations.AddField("pool", "sealed_credential", models.TextField(blank=True, default="", editable=False)),
        migrations.AddConstraint(
            "pool",
            models.CheckConstraint(
                condition=Q(credential_env="") | Q(sealed_credential=""), name="pool_has_one_credential_at_most"
            ),
        ),
        migrations.AlterField(
            "replica",
            "url",
            models.CharField(
                max_length=255,
                unique=True,
                validators=[inference.models.fleet.check_url],
                help_text="The engine's root, without /v1.",
            ),
        ),
        migrations.AddConstraint(
            "replica",
            models.CheckConstraint(condition=Q(url__regex=PLAIN_URL), name="replica_url_is_plain"),
        ),
    ]
