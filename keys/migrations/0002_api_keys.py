import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import foundation.clock
import foundation.ids


class Migration(migrations.Migration):
    dependencies = [
        ("keys", "0001_plans_and_limits"),
        ("tenants", "0002_audit_trail"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ApiKey",
            fields=[
                (
                    "id",
                    models.UUIDField(default=foundation.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=200)),
                (
                    "kind",
                    models.CharField(choices=[("inference", "Inference"), ("management", "Management")], max_length=16),
                ),
                ("mode", models.CharField(choices=[("live", "Live"), ("test", "Test")], max_length=8)),
                ("display", models.CharField(editable=False, max_length=32)),
                ("digest", models.BinaryField(max_length=32, unique=True)),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64), blank=True, default=list
                    ),
                ),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("revoked_reason", models.CharField(blank=True, editable=False, max_length=200)),
                ("expiry_noted_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("lineage", models.UUIDField(editable=False)),
                ("metadata", models.JSONField(blank=True, default=dict)),
                ("last_used_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("created_at", models.DateTimeField(default=foundation.clock.now, editable=False)),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="api_keys", to="tenants.organization"
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="api_keys",
                        to="tenants.project",
                    ),
                ),
                (
                    "replaced_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="replaces",
                        to="keys.apikey",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organization", "-created_at"], name="api_key_newest_first"),
                    models.Index(
                        condition=models.Q(
                            ("expires_at__isnull", False), ("expiry_noted_at", None), ("revoked_at", None)
                        ),
                        fields=["expires_at"],
                        name="api_key_expiry_to_note",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "inference"), ("project__isnull", False), ("scopes", [])),
                            models.Q(("kind", "management"), ("project", None)),
                            _connector="OR",
                        ),
                        name="api_key_kind_says_what_it_opens",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("mode__in", ["live", "test"])), name="api_key_mode_is_known"
                    ),
                ],
            },
        ),
    ]
