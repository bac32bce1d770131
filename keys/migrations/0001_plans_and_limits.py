import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import foundation.clock
import foundation.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("tenants", "0002_audit_trail"),
    ]

    operations = [
        migrations.CreateModel(
            name="Plan",
            fields=[
                ("rpm", models.PositiveIntegerField(blank=True, null=True, verbose_name="requests per minute")),
                ("tpm", models.PositiveBigIntegerField(blank=True, null=True, verbose_name="tokens per minute")),
                (
                    "input_tpm",
                    models.PositiveBigIntegerField(blank=True, null=True, verbose_name="input tokens per minute"),
                ),
                (
                    "output_tpm",
                    models.PositiveBigIntegerField(blank=True, null=True, verbose_name="output tokens per minute"),
                ),
                ("concurrency", models.PositiveIntegerField(blank=True, null=True, verbose_name="requests at once")),
                (
                    "max_output_tokens",
                    models.PositiveIntegerField(blank=True, null=True, verbose_name="output tokens per request"),
                ),
                (
                    "allowed_models",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=200), blank=True, null=True
                    ),
                ),
                (
                    "budget_nusd",
                    models.PositiveBigIntegerField(blank=True, null=True, verbose_name="budget in nano-dollars"),
                ),
                (
                    "budget_window",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("request", "Each request"),
                            ("5h", "Five hours"),
                            ("day", "Day"),
                            ("week", "Week"),
                            ("month", "Month"),
                            ("lifetime", "For ever"),
                        ],
                        max_length=16,
                        null=True,
                    ),
                ),
                (
                    "id",
                    models.UUIDField(default=foundation.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=200)),
                ("slug", models.SlugField(max_length=63)),
                ("created_at", models.DateTimeField(default=foundation.clock.now, editable=False)),
                (
                    "organization",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="plans",
                        to="tenants.organization",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ScopeLimits",
            fields=[
                ("rpm", models.PositiveIntegerField(blank=True, null=True, verbose_name="requests per minute")),
                ("tpm", models.PositiveBigIntegerField(blank=True, null=True, verbose_name="tokens per minute")),
                (
                    "input_tpm",
                    models.PositiveBigIntegerField(blank=True, null=True, verbose_name="input tokens per minute"),
                ),
                (
                    "output_tpm",
                    models.PositiveBigIntegerField(blank=True, null=True, verbose_name="output tokens per minute"),
                ),
                ("concurrency", models.PositiveIntegerField(blank=True, null=True, verbose_name="requests at once")),
                (
                    "max_output_tokens",
                    models.PositiveIntegerField(blank=True, null=True, verbose_name="output tokens per request"),
                ),
                (
                    "allowed_models",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=200), blank=True, null=True
                    ),
                ),
                (
                    "budget_nusd",
                    models.PositiveBigIntegerField(blank=True, null=True, verbose_name="budget in nano-dollars"),
                ),
                (
                    "budget_window",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("request", "Each request"),
                            ("5h", "Five hours"),
                            ("day", "Day"),
                            ("week", "Week"),
                            ("month", "Month"),
                            ("lifetime", "For ever"),
                        ],
                        max_length=16,
                        null=True,
                    ),
                ),
                (
                    "id",
                    models.UUIDField(default=foundation.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "scope",
                    models.CharField(
                        choices=[("organization", "Organization"), ("project", "Project"), ("key", "Key")],
                        max_length=16,
                    ),
                ),
                ("scope_id", models.UUIDField()),
                ("created_at", models.DateTimeField(default=foundation.clock.now, editable=False)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="scope_limits",
                        to="tenants.organization",
                    ),
                ),
                (
                    "plan",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="scope_limits",
                        to="keys.plan",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "scope limits",
            },
        ),
        migrations.AddConstraint(
            model_name="plan",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("budget_nusd", None), ("budget_window", None)),
                    models.Q(
                        ("budget_nusd__isnull", False),
                        ("budget_window__in", ["request", "5h", "day", "week", "month", "lifetime"]),
                        ("budget_window__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="plan_budget_has_a_window",
            ),
        ),
        migrations.AddConstraint(
            model_name="plan",
            constraint=models.UniqueConstraint(
                fields=("organization", "slug"), name="plan_slug_unique_in_organization", nulls_distinct=False
            ),
        ),
        migrations.AddConstraint(
            model_name="scopelimits",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("budget_nusd", None), ("budget_window", None)),
                    models.Q(
                        ("budget_nusd__isnull", False),
                        ("budget_window__in", ["request", "5h", "day", "week", "month", "lifetime"]),
                        ("budget_window__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="scopelimits_budget_has_a_window",
            ),
        ),
        migrations.AddConstraint(
            model_name="scopelimits",
            constraint=models.UniqueConstraint(
                fields=("organization", "scope", "scope_id"), name="scope_limits_once_per_scope"
            ),
        ),
        migrations.AddConstraint(
            model_name="scopelimits",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("scope", "organization"), ("scope_id", models.F("organization_id"))),
                    ("scope__in", ["project", "key"]),
                    _connector="OR",
                ),
                name="scope_limits_of_an_organization_are_its_own",
            ),
        ),
    ]
