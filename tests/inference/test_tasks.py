"""Workers find the tasks under the names that the schedule uses."""

from __future__ import annotations

from config.celery import SCHEDULE, app
from foundation import clock
from inference import tasks
from inference.models import Replica, UsageDay, UsageHour
from tenants import isolation
from tests.inference import health, records
from tests.inference.test_probing import replica
from tests.tenants import cast


def test_the_schedule_names_tasks_that_exist():
    named = {entry["task"] for entry in SCHEDULE.values() if entry["task"].startswith("inference.")}
    names = ("roll_up_usage", "probe_replicas", "forget_claims", "announce_budget_notices")
    assert named == {f"inference.tasks.{name}" for name in names}
    assert named <= set(app.tasks)


def test_usage_is_rolled_up_by_a_worker_that_is_in_no_scope(fresh_database):
    with isolation.everything():
        acme = cast.organization("Acme")
        records.open_wallet(acme)
        records.settle(acme, clock.now())
    assert tasks.roll_up_usage.apply().get() == 2
    with isolation.everything():
        assert (UsageHour.objects.count(), UsageDay.objects.count()) == (1, 1)


def test_replicas_are_probed_by_a_worker(fresh_database):
    with health.engine() as engine:
        one = replica(engine.url)
        assert tasks.probe_replicas.apply().get() == 1
    assert Replica.objects.get(pk=one.pk).state == "healthy"
