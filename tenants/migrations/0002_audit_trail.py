import django.core.serializers.json
import django.db.models.deletion
from django.db import migrations, models

import foundation.clock
import foundation.ids


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0001_people_and_organizations"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditEvent",
            fields=[
                (
                    "id",
                    models.UUIDField(default=foundation.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "actor_kind",
                    models.CharField(
                        choices=[("user", "User"), ("key", "Management key"), ("system", "System")], max_length=16
                    ),
                ),
                ("actor_id", models.CharField(blank=True, max_length=64)),
                ("actor_label", models.CharField(max_length=254)),
                ("action", models.CharField(max_length=64)),
                ("target_kind", models.CharField(max_length=64)),
                ("target_id", models.CharField(max_length=64)),
                ("facts", models.JSONField(default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder)),
                ("at", models.DateTimeField(default=foundation.clock.now, editable=False)),
                (
                    "organization",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="audit_events",
                        to="tenants.organization",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="AuditLink",
            fields=[
                ("seq", models.BigIntegerField(primary_key=True, serialize=False)),
                ("prev_hash", models.BinaryField(max_length=32)),
                ("hash", models.BinaryField(max_length=32)),
                (
                    "event",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="link", to="tenants.auditevent"
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(fields=["organization", "-at"], name="audit_event_by_organization"),
        ),
        migrations.AddConstraint(
            model_name="auditevent",
            constraint=models.CheckConstraint(
                condition=models.Q(("actor_kind__in", ["user", "key", "system"])), name="audit_event_actor_is_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="auditlink",
            constraint=models.UniqueConstraint(fields=("prev_hash",), name="audit_chain_does_not_fork"),
        ),
    ]
