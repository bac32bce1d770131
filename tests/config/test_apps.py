import logging
import os
import subprocess
import sys

from django.db import connection
from django.db.models.signals import pre_migrate

from config.apps import ConfigConfig
from tests.config.web_servers import ROOT


def statement_timeout() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        return str(cursor.fetchone()[0])


def test_a_migration_may_take_longer_than_a_request(fresh_database):
    assert statement_timeout() == "30s"
    pre_migrate.send(sender=ConfigConfig, using="default")
    assert statement_timeout() == "0"


def test_libraries_log_by_our_handler_alone():
    assert [type(handler).__module__ for handler in logging.getLogger().handlers if _is_no_tests(handler)] == [
        "foundation.logs"
    ]
    assert not logging.getLogger("django").handlers


def test_a_command_keeps_standard_output_for_its_answer():
    script = "import django; django.setup(); from foundation import logs; logs.get('x').warning('something_happened')"
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings", "LOG_STREAM": "stderr"}
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert '"event":"something_happened"' in done.stderr


def _is_no_tests(handler: logging.Handler) -> bool:
    return not type(handler).__module__.startswith("_pytest")
