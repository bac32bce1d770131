"""Budgets may last for a billing period."""

from typing import ClassVar

from django.db import migrations, models
from django.db.migrations.operations.base import Operation

KINDS = ["request", "5h", "day", "week", "month", "billing_period", "lifetime"]
WINDOW = models.CharField(
    blank=True,
    choices=[
        ("request", "Each request"),
        ("5h", "Five hours"),
        ("day", "Day"),
        ("week", "Week"),
        ("month", "Month"),
        ("billing_period", "Billing period"),
        ("lifetime", "For ever"),
    ],
    max_length=16,
    null=True,
)
HAS_A_WINDOW = models.Q(budget_nusd=None, budget_window=None) | models.Q(
    budget_nusd__isnull=False, budget_window__isnull=False, budget_window__in=KINDS
)


class Migration(migrations.Migration):
    dependencies: ClassVar = [("keys", "0003_row_security")]
    operations: ClassVar[list[Operation]] = [
        operation
        for model in ("plan", "scopelimits")
        for operation in (
            migrations.AlterField(model, "budget_window", WINDOW.clone()),
            migrations.RemoveConstraint(model, f"{model}_budget_has_a_window"),
            migrations.AddConstraint(
                model, models.CheckConstraint(condition=HAS_A_WINDOW, name=f"{model}_budget_has_a_window")
            ),
        )
    ]
