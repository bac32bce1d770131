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
            name="UsageRecord",
            fields=[
                ("request_id", models.UUIDField(primary_key=True, serialize=False)),
                ("project_id", models.UUIDField()),
                ("key_id", models.UUIDField()),
                ("customer", models.CharField(blank=True, max_length=128)),
                ("model", models.CharField(max_length=128)),
                ("pool", models.CharField(blank=True, max_length=128)),
                ("replica", models.CharField(blank=True, max_length=255)),
                ("endpoint", models.CharField(blank=True, max_length=64)),
                ("streamed", models.BooleanField(default=False)),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("complete", "Complete"),
                            ("client_left", "Client Left"),
                            ("no_output", "No Output"),
                            ("upstream_error", "Upstream Error"),
                            ("timeout", "Timeout"),
                            ("drained", "Drained"),
                            ("out_of_credit", "Out Of Credit"),
                            ("expired", "Expired"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "usage_source",
                    models.CharField(
                        choices=[
                            ("final", "Final"),
                            ("continuous", "Continuous"),
                            ("local", "Local"),
                            ("none", "None"),
                        ],
                        max_length=16,
                    ),
                ),
                ("status", models.PositiveSmallIntegerField(default=0)),
                ("prompt_tokens", models.BigIntegerField(default=0)),
                ("cached_tokens", models.BigIntegerField(default=0)),
                ("completion_tokens", models.BigIntegerField(default=0)),
                (
                    "unit",
                    models.CharField(
                        blank=True, help_text="What is charged beside tokens: seconds, images …", max_length=16
                    ),
                ),
                ("quantity", models.BigIntegerField(default=0)),
                ("price_version", models.PositiveIntegerField(blank=True, null=True)),
                ("hold_nusd", models.BigIntegerField(default=0)),
                ("cost_nusd", models.BigIntegerField(default=0)),
                ("late", models.BooleanField(default=False, help_text="Settled after its hold had expired.")),
                (
                    "transaction_id",
                    models.UUIDField(blank=True, help_text="The ledger transaction that charged it.", null=True),
                ),
                (
                    "purses",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(),
                        default=list,
                        help_text="The purses that paid: the wallet and budgets.",
                    ),
                ),
                ("ttft_ms", models.PositiveIntegerField(blank=True, null=True)),
                ("latency_ms", models.PositiveIntegerField(blank=True, null=True)),
                ("started_at", models.DateTimeField()),
                ("at", models.DateTimeField()),
            ],
            options={
                "db_table": "billing_usagerecord",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="LedgerTransaction",
            fields=[
                (
                    "id",
                    models.UUIDField(default=foundation.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("usage", "Usage"),
                            ("credit", "Credit"),
                            ("adjustment", "Adjustment"),
                            ("stripe", "Stripe"),
                        ],
                        max_length=16,
                    ),
                ),
                ("reference", models.CharField(blank=True, max_length=255, null=True)),
                ("memo", models.CharField(blank=True, max_length=500)),
                ("actor", models.CharField(blank=True, max_length=255)),
                ("at", models.DateTimeField()),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="transactions",
                        to="tenants.organization",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="LedgerEntry",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "account",
                    models.CharField(
                        choices=[
                            ("wallet", "Wallet"),
                            ("revenue", "Revenue"),
                            ("grants", "Grants"),
                            ("stripe", "Stripe"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("usage", "Usage"),
                            ("overage", "Overage"),
                            ("credit", "Credit"),
                            ("adjustment", "Adjustment"),
                            ("stripe", "Stripe"),
                        ],
                        max_length=16,
                    ),
                ),
                ("amount_nusd", models.BigIntegerField()),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="entries", to="tenants.organization"
                    ),
                ),
                (
                    "transaction",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entries",
                        to="billing.ledgertransaction",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "ledger entries",
            },
        ),
        migrations.CreateModel(
            name="Price",
            fields=[
                (
                    "id",
                    models.UUIDField(default=foundation.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("model", models.CharField(help_text="The model's id in the catalogue.", max_length=128)),
                ("version", models.PositiveIntegerField()),
                ("effective_from", models.DateTimeField()),
                (
                    "free",
                    models.BooleanField(
                        default=False, help_text="Costs nothing, and says so: a model without a price is refused."
                    ),
                ),
                ("created_at", models.DateTimeField(default=foundation.clock.now, editable=False)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("version__gte", 1)), name="price_versions_start_at_one"),
                    models.UniqueConstraint(fields=("model", "version"), name="price_version_once_per_model"),
                    models.UniqueConstraint(fields=("model", "effective_from"), name="price_one_version_per_instant"),
                ],
            },
        ),
        migrations.CreateModel(
            name="PriceComponent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("input", "Input"),
                            ("cached_input", "Cached Input"),
                            ("output", "Output"),
                            ("requests", "Requests"),
                            ("characters", "Characters"),
                            ("seconds", "Seconds"),
                            ("images", "Images"),
                        ],
                        max_length=32,
                    ),
                ),
                ("usd_per_million", models.DecimalField(decimal_places=9, max_digits=18)),
                (
                    "price",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="components", to="billing.price"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Purse",
            fields=[
                (
                    "id",
                    models.UUIDField(default=foundation.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("kind", models.CharField(choices=[("wallet", "Wallet"), ("budget", "Budget")], max_length=16)),
                (
                    "budget_id",
                    models.UUIDField(blank=True, help_text="The limits that this window belongs to.", null=True),
                ),
                ("window", models.CharField(blank=True, help_text="5h, day, week, month or lifetime.", max_length=16)),
                ("starts_at", models.DateTimeField(blank=True, null=True)),
                ("ends_at", models.DateTimeField(blank=True, null=True)),
                ("posted_nusd", models.BigIntegerField(default=0)),
                ("held_nusd", models.BigIntegerField(default=0)),
                (
                    "credit_line_nusd",
                    models.BigIntegerField(default=0, help_text="How far below zero a wallet may go: postpaid."),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="purses", to="tenants.organization"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Hold",
            fields=[
                ("request_id", models.UUIDField(primary_key=True, serialize=False)),
                ("project_id", models.UUIDField()),
                ("key_id", models.UUIDField()),
                ("model", models.CharField(max_length=128)),
                ("customer", models.CharField(blank=True, max_length=128)),
                ("purses", django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField())),
                ("amount_nusd", models.BigIntegerField()),
                ("expires_at", models.DateTimeField()),
                ("created_at", models.DateTimeField()),
                (
                    "organization",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="holds",
                        to="tenants.organization",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount_nusd__gte", 0)), name="hold_amount_never_negative"
                    )
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="ledgertransaction",
            constraint=models.UniqueConstraint(
                condition=models.Q(("reference__isnull", False)),
                fields=("kind", "reference"),
                name="ledger_transaction_once_per_reference",
            ),
        ),
        migrations.AddConstraint(
            model_name="ledgerentry",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_nusd", 0), _negated=True), name="ledger_entry_never_zero"
            ),
        ),
        migrations.AddConstraint(
            model_name="pricecomponent",
            constraint=models.CheckConstraint(
                condition=models.Q(("usd_per_million__gte", 0)), name="price_never_negative"
            ),
        ),
        migrations.AddConstraint(
            model_name="pricecomponent",
            constraint=models.UniqueConstraint(fields=("price", "kind"), name="price_one_rate_per_kind"),
        ),
        migrations.AddConstraint(
            model_name="purse",
            constraint=models.CheckConstraint(
                condition=models.Q(("held_nusd__gte", 0)), name="purse_holds_never_negative"
            ),
        ),
        migrations.AddConstraint(
            model_name="purse",
            constraint=models.CheckConstraint(
                condition=models.Q(("credit_line_nusd__gte", 0)), name="purse_credit_line_never_negative"
            ),
        ),
        migrations.AddConstraint(
            model_name="purse",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("budget_id", None),
                        ("id", models.F("organization_id")),
                        ("kind", "wallet"),
                        ("starts_at", None),
                    ),
                    models.Q(
                        ("budget_id__isnull", False),
                        ("ends_at__gt", models.F("starts_at")),
                        ("kind", "budget"),
                        ("starts_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="purse_is_the_wallet_or_a_window_of_a_budget",
            ),
        ),
        migrations.AddConstraint(
            model_name="purse",
            constraint=models.UniqueConstraint(
                fields=("budget_id", "window", "starts_at"), name="purse_once_per_budget_window"
            ),
        ),
    ]
