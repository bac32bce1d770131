"""What budgets that only notify or only count leave behind, and what windows carry over."""

import django.db.models.deletion
from django.db import migrations, models

import foundation.ids
from tenants import row_security


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0006_usage_attempts"),
        ("tenants", "0006_idempotent_answers"),
    ]

    operations = [
        migrations.CreateModel(
            name="BudgetNotice",
            fields=[
                (
                    "id",
                    models.UUIDField(default=foundation.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("mode", models.CharField(choices=[("hard", "Hard"), ("soft", "Soft")], max_length=8)),
                ("percent", models.PositiveSmallIntegerField()),
                ("limit_nusd", models.BigIntegerField()),
                ("spent_nusd", models.BigIntegerField()),
                ("at", models.DateTimeField()),
                ("mailed_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.AddField(
            model_name="purse",
            name="carried_nusd",
            field=models.BigIntegerField(db_default=0, default=0, help_text="Left over from the window before."),
        ),
        migrations.AddField(
            model_name="purse",
            name="carrying_nusd",
            field=models.BigIntegerField(blank=True, help_text="The limit whose rest is carried over.", null=True),
        ),
        migrations.AddField(
            model_name="purse",
            name="label",
            field=models.CharField(blank=True, db_default="", default="", max_length=128),
        ),
        migrations.AddField(
            model_name="purse",
            name="limit_nusd",
            field=models.BigIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="purse",
            name="scope",
            field=models.CharField(blank=True, db_default="", default="", max_length=16),
        ),
        migrations.AddField(
            model_name="purse",
            name="shadow_nusd",
            field=models.BigIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="purse",
            name="shadow_refused",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="purse",
            name="shadow_refused_nusd",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="purse",
            name="soft_nusd",
            field=models.BigIntegerField(blank=True, null=True),
        ),
        migrations.AddConstraint(
            model_name="purse",
            constraint=models.CheckConstraint(
                condition=models.Q(("carried_nusd__gte", 0)), name="purse_carries_nothing_negative"
            ),
        ),
        migrations.AddField(
            model_name="budgetnotice",
            name="organization",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="budget_notices", to="tenants.organization"
            ),
        ),
        migrations.AddField(
            model_name="budgetnotice",
            name="purse",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="notices",
                to="billing.purse",
            ),
        ),
        migrations.AddIndex(
            model_name="budgetnotice",
            index=models.Index(condition=models.Q(("mailed_at", None)), fields=["id"], name="budget_notice_not_mailed"),
        ),
        migrations.AddConstraint(
            model_name="budgetnotice",
            constraint=models.UniqueConstraint(fields=("purse", "mode", "percent"), name="budget_notice_once_per_mark"),
        ),
        migrations.AddConstraint(
            model_name="budgetnotice",
            constraint=models.CheckConstraint(
                condition=models.Q(("percent__in", (50, 80, 100))), name="budget_notice_of_a_known_mark"
            ),
        ),
        migrations.RunSQL(
            [
                *row_security.enable("billing_budgetnotice"),
                # The settlement writes them; the application notes what it mailed.
                *row_security.grant("billing_budgetnotice", "SELECT, UPDATE (mailed_at)"),
            ]
        ),
    ]
