"""The web pages from whose scripts an organisation's keys may be used."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tenants", "0006_idempotent_answers")]

    operations = [
        migrations.AddField(
            model_name="organization",
            name="allowed_origins",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=255), blank=True, db_default=[], default=list, size=None
            ),
        ),
        migrations.AddConstraint(
            model_name="organization",
            constraint=models.CheckConstraint(
                condition=models.Q(("allowed_origins__len__lte", 100)), name="organization_has_at_most_100_origins"
            ),
        ),
    ]
