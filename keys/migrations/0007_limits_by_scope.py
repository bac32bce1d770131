"""Limits are found by organisation, scope and id, in one index: another of organisations alone was taken for it."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("keys", "0006_budget_modes"),
        ("tenants", "0001_people_and_organizations"),
    ]

    operations = [
        migrations.AlterField(
            model_name="scopelimits",
            name="organization",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="scope_limits",
                to="tenants.organization",
            ),
        ),
    ]
