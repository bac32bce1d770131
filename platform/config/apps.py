"""Django's entry for the roof: what has to happen once the apps are loaded."""

import sys
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.db import connections
from django.db.models.signals import pre_migrate

# Importing the checks is what registers them.
from config import celery, checks  # noqa: F401 - registered by being imported
from foundation import logs


class ConfigConfig(AppConfig):
    """Registers `config`, which wires the other apps together and owns no table."""

    name = "config"

    def ready(self) -> None:
        """Set logging up, and make the Celery tasks known to every process."""
        logs.configure(settings.LOG_LEVEL, sys.stderr.buffer if settings.LOG_STREAM == "stderr" else None)
        # By itself Celery looks for tasks in a worker only; here every process can list, call and test them.
        celery.app.autodiscover_tasks(force=True)
        pre_migrate.connect(_lift_the_statement_timeout, dispatch_uid="config.statement_timeout")


def _lift_the_statement_timeout(using: str, **_: Any) -> None:
    """Let a migration take its time: the timeout is for requests. Waiting for locks stays bounded."""
    with connections[using].cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
