"""The schedule, and a real worker on a real Valkey."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
from celery import current_app
from django.conf import settings

from config.celery import SCHEDULE, VISIBILITY_SECONDS, app, broker_url
from tests.config.web_servers import ROOT

QUEUES = {"default", "money", "fleet"}


@pytest.mark.parametrize(
    ("address", "broker"),
    [
        ("redis://:pw@cache:6379/1", "redis://:pw@cache:6379/1"),
        ("rediss://cache:6379/0", "rediss://cache:6379/0"),
        ("unix:///run/valkey.sock", "redis+socket:///run/valkey.sock?virtual_host=0"),
        ("unix:///run/valkey.sock?db=3", "redis+socket:///run/valkey.sock?virtual_host=3"),
        ("unix://app:pw@/run/valkey.sock", "redis+socket://app:pw@/run/valkey.sock?virtual_host=0"),
    ],
)
def test_a_valkey_address_is_spelled_as_the_broker_reads_it(address, broker):
    assert broker_url(address) == broker


def test_every_process_uses_this_application():
    assert current_app.main == app.main == "config"


@pytest.mark.parametrize("entry", SCHEDULE.values(), ids=SCHEDULE)
def test_every_scheduled_task_exists(entry):
    assert entry["task"] in app.tasks


@pytest.mark.parametrize("entry", SCHEDULE.values(), ids=SCHEDULE)
def test_a_run_that_nobody_took_in_time_is_dropped(entry):
    assert entry["options"]["expires"] > 0


def test_money_and_fleet_have_queues_of_their_own():
    def queue(task: str) -> str:
        return str(app.amqp.router.route({}, task)["queue"].name)

    assert {queue(entry["task"]) for entry in SCHEDULE.values()} <= QUEUES
    assert queue("billing.tasks.reap_holds") == queue("billing.tasks.verify_ledger") == "money"
    assert queue("inference.tasks.probe_replicas") == "fleet"
    assert queue("keys.tasks.expire_keys") == "default"


def test_a_task_ends_before_its_message_is_given_to_another_worker():
    assert app.conf.task_soft_time_limit < app.conf.task_time_limit < VISIBILITY_SECONDS


def test_only_json_is_read():
    assert app.conf.accept_content == ["json"]
    assert app.conf.task_serializer == "json"


@contextmanager
def worker() -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "celery", "-A", "config", "worker", "--concurrency", "1", "--without-gossip"]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ, start_new_session=True, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_a_misconfigured_worker_does_not_start(django_db_setup):
    command = [sys.executable, "-m", "celery", "-A", "config", "worker", "--concurrency", "1"]
    env = os.environ | {"ENVIRONMENT": "production", "ALLOWED_HOSTS": "*"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode
    assert "turnpike.E004" in done.stderr


def eventually[Found](find: Callable[[], Found | None], seconds: float = 30) -> Found:
    deadline = time.monotonic() + seconds
    while not (found := find()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return found


def done(task: str) -> int:
    """Return how many runs of a task the worker has begun."""
    stats = app.control.inspect(timeout=0.5).stats() or {}
    return sum(of_one["total"].get(task, 0) for of_one in stats.values())


def test_a_worker_takes_jobs_from_all_queues(django_db_setup):
    # Celery takes its broker from the settings, whose Valkey runs since the fixture.
    assert app.conf.broker_url == broker_url(settings.REDIS_URL)
    with worker() as process:
        queues = eventually(lambda: app.control.inspect(timeout=0.5).active_queues())
        assert {queue["name"] for of_one in queues.values() for queue in of_one} == QUEUES
        app.send_task("billing.tasks.ensure_partitions")
        eventually(lambda: done("billing.tasks.ensure_partitions"))
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
