"""Settings of whole installations, each read by a process of its own."""

import json
import os
import subprocess
import sys

import pytest

STORES = {"DATABASE_URL": "postgresql://db/turnpike", "REDIS_URL": "redis://cache/0"}
PRODUCTION = STORES | {"ENVIRONMENT": "production", "ALLOWED_HOSTS": "ai.example.com"}


def read(names: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    script = f"import json; from config import settings as s; print(json.dumps([s.{names.replace(' ', ', s.')}]))"
    command = [sys.executable, "-c", script]
    return subprocess.run(command, env={"PATH": os.environ["PATH"]} | env, capture_output=True, text=True, check=False)


def values(names: str, env: dict[str, str]) -> list:
    done = read(names, env)
    assert not done.returncode, done.stderr
    read_back: list = json.loads(done.stdout)
    return read_back


def test_production_is_safe_without_being_told():
    names = "SESSION_COOKIE_SECURE CSRF_COOKIE_SECURE SECURE_SSL_REDIRECT DEBUG ALLOWED_HOSTS"
    assert values(names, PRODUCTION) == [True, True, True, False, ["ai.example.com"]]
    assert values("SECURE_HSTS_SECONDS SECURE_HSTS_INCLUDE_SUBDOMAINS", PRODUCTION) == [31_536_000, True]


def test_a_laptop_works_without_any_setting():
    assert values("SESSION_COOKIE_SECURE SECURE_SSL_REDIRECT SECURE_HSTS_SECONDS", {}) == [False, False, 0]


@pytest.mark.parametrize("missing", ["DATABASE_URL", "REDIS_URL"])
def test_production_has_no_default_for_its_stores(missing):
    done = read("DEBUG", {name: value for name, value in PRODUCTION.items() if name != missing})
    assert done.returncode
    assert f"{missing} is not set" in done.stderr


def test_connections_have_time_limits_and_no_pool():
    [database] = values("DATABASES", STORES)
    options = database["default"]["OPTIONS"]
    assert "lock_timeout=5s" in options["options"]
    assert "statement_timeout=30s" in options["options"]
    assert "pool" not in options


def test_a_pool_can_be_asked_for():
    [database] = values("DATABASES", STORES | {"DATABASE_POOL_SIZE": "8"})
    assert database["default"]["OPTIONS"]["pool"]["max_size"] == 8


@pytest.mark.parametrize(("env", "backend"), [({}, "console"), (PRODUCTION, "dummy")], ids=["laptop", "production"])
def test_mail_with_its_links_never_goes_to_the_log_of_production(env, backend):
    [mailers] = values("MAILERS", env)
    assert mailers["default"]["BACKEND"].endswith(f"{backend}.EmailBackend")


def test_mail_goes_to_its_server():
    [mailers] = values("MAILERS", {"EMAIL_HOST": "mail.example"})
    assert mailers["default"]["OPTIONS"]["host"] == "mail.example"
