"""Answers to requests that named an Idempotency-Key."""

import django.db.models.deletion
from django.db import migrations, models

import foundation.clock
import foundation.ids
from tenants import row_security

TABLE = "tenants_idempotentanswer"


class Migration(migrations.Migration):
    dependencies = [("tenants", "0005_framework_grants")]

    operations = [
        migrations.CreateModel(
            name="IdempotentAnswer",
            fields=[
                (
                    "id",
                    models.UUIDField(default=foundation.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("caller", models.CharField(max_length=64)),
                ("key", models.CharField(max_length=255)),
                ("fingerprint", models.BinaryField(max_length=32)),
                ("status", models.PositiveSmallIntegerField(default=0)),
                ("answer", models.TextField(default="")),
                ("withheld", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField(default=foundation.clock.now)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tenants.organization",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["organization", "created_at"], name="idempotent_answer_by_age")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "caller", "key"),
                        name="idempotent_answer_once_per_key",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
        migrations.RunSQL(
            [*row_security.enable(TABLE), *row_security.grant(TABLE, "SELECT, INSERT, UPDATE, DELETE")],
            migrations.RunSQL.noop,
        ),
    ]
