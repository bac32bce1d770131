"""The Celery application: broker, queues and the schedule, all in code.

    celery -A config worker
    celery -A config beat

Arguments and results are JSON. Tasks are named here and live in the apps; `foundation.jobs` starts them by name.
"""

import os
import ssl
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from celery import Celery, signals
from celery.schedules import crontab
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from kombu import Queue

from config import checks

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

TASK_LIMIT_SECONDS = 120
# A task that a killed worker held goes to another one when this has passed, so it must be longer than any task may run.
VISIBILITY_SECONDS = TASK_LIMIT_SECONDS + 30


def broker_url(address: str) -> str:
    """Return a Valkey address as Kombu spells it: a unix socket is redis+socket://, its database `virtual_host`."""
    parts = urlsplit(address)
    if parts.scheme != "unix":
        return address
    database = dict(parse_qsl(parts.query)).get("db", "0")
    return f"redis+socket://{parts.netloc}{parts.path}?virtual_host={database}"


def _every(seconds: float, task: str) -> dict[str, Any]:
    # After a stop of the workers only the last of the heaped-up runs is worth doing.
    return {"task": task, "schedule": seconds, "options": {"expires": seconds}}


def _at(moment: crontab, task: str) -> dict[str, Any]:
    return {"task": task, "schedule": moment, "options": {"expires": 3600}}


SCHEDULE = {
    "reap holds": _every(5, "billing.tasks.reap_holds"),
    "expire keys": _every(60, "keys.tasks.expire_keys"),
    "roll up usage": _every(60, "inference.tasks.roll_up_usage"),
    "announce budget notices": _every(30, "inference.tasks.announce_budget_notices"),
    "probe replicas": _every(5, "inference.tasks.probe_replicas"),
    "verify the ledger": _at(crontab(minute="7"), "billing.tasks.verify_ledger"),
    "forget claims": _at(crontab(hour="3", minute="40"), "inference.tasks.forget_claims"),
    "ensure partitions": _at(crontab(hour="3", minute="20"), "billing.tasks.ensure_partitions"),
}

app = Celery("config")
app.conf.update(
    broker_url=broker_url(settings.REDIS_URL),
    broker_use_ssl={"ssl_cert_reqs": ssl.CERT_REQUIRED} if settings.REDIS_URL.startswith("rediss:") else None,
    broker_connection_retry_on_startup=True,
    broker_transport_options={
        "visibility_timeout": VISIBILITY_SECONDS,
        # Look for tasks of dead workers every ten seconds; by default every hundred.
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
        "global_keyprefix": "turnpike:jobs:",
        # A broker that vanished without closing its connections is noticed, instead of waited for without end.
        "socket_timeout": 30,
        "socket_connect_timeout": 2,
        "socket_keepalive": True,
        "health_check_interval": 25,
    },
    # A task is gone from the queue when it is done, not when it is taken: every task here may run twice.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    worker_cancel_long_running_tasks_on_connection_loss=True,
    task_time_limit=TASK_LIMIT_SECONDS,
    task_soft_time_limit=TASK_LIMIT_SECONDS - 15,
    task_default_queue="default",
    task_queues=[Queue("default"), Queue("money"), Queue("fleet")],
    task_create_missing_queues=False,
    task_routes={"billing.tasks.*": {"queue": "money"}, "inference.tasks.probe_replicas": {"queue": "fleet"}},
    task_ignore_result=True,
    task_serializer="json",
    result_serializer="json",
    accept_content=["json"],
    timezone="UTC",
    beat_schedule=SCHEDULE,
    # In memory: nothing here counts from its last run, so a restart needs no file to remember it by.
    beat_scheduler="celery.beat:Scheduler",
    beat_max_loop_interval=5,
    worker_hijack_root_logger=False,
)


@signals.worker_init.connect
def _refuse_misconfiguration(**_: object) -> None:
    """Keep a worker from starting as a web process is kept; Celery would log any other exception and go on."""
    try:
        checks.refuse_misconfiguration()
    except ImproperlyConfigured as error:
        raise SystemExit(str(error)) from error


@signals.setup_logging.connect
def _keep_our_logging(**_: object) -> None:
    """Stop Celery from configuring logging: a receiver of this signal is how it is told to."""
