"""Budgets may only notify or only count, and may carry over what is unspent."""

from typing import ClassVar

from django.db import migrations, models
from django.db.migrations.operations.base import Operation

MODE = models.CharField(
    choices=[
        ("hard", "Refuse requests"),
        ("soft", "Only notify"),
        ("shadow", "Only count what it would refuse"),
    ],
    # With defaults in the database: the version that runs beside this migration writes rows without them.
    db_default="hard",
    default="hard",
    max_length=8,
)
CARRIES_OVER = models.BooleanField(db_default=False, default=False, verbose_name="budget carries over")
HAS_A_WINDOW_TO_COUNT_IN = models.Q(budget_mode="hard") | models.Q(
    budget_mode__in=["soft", "shadow"],
    budget_nusd__isnull=False,
    budget_window__in=["5h", "day", "week", "month", "billing_period", "lifetime"],
)
HAS_A_NEXT_WINDOW = models.Q(budget_carries_over=False) | models.Q(
    budget_nusd__isnull=False, budget_window__in=["5h", "day", "week", "month", "billing_period"]
)


class Migration(migrations.Migration):
    dependencies: ClassVar = [("keys", "0005_limits_of_subjects")]
    operations: ClassVar[list[Operation]] = [
        operation
        for model in ("plan", "scopelimits")
        for operation in (
            migrations.AddField(model, "budget_mode", MODE.clone()),
            migrations.AddField(model, "budget_carries_over", CARRIES_OVER.clone()),
            migrations.AddConstraint(
                model,
                models.CheckConstraint(
                    condition=HAS_A_WINDOW_TO_COUNT_IN, name=f"{model}_budget_mode_has_a_window_to_count_in"
                ),
            ),
            migrations.AddConstraint(
                model,
                models.CheckConstraint(
                    condition=HAS_A_NEXT_WINDOW, name=f"{model}_budget_carries_over_to_a_next_window"
                ),
            ),
        )
    ]
