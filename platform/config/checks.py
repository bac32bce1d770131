"""System checks: each misconfiguration has an id, a message and a hint.

`manage.py check` runs those of the settings, `manage.py check --deploy --database default` also asks the database what
our role may do, and a web process refuses to start on an error of either kind. Migrations run as the owner of the
tables, which is why the check of the role is not part of a plain `migrate`.
"""

from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Tags
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connections

from foundation import logs

log = logs.get(__name__)

TAG = "turnpike"
SHORTEST_SECRET_KEY = 50
SHORTEST_PEPPER = 32
SHORTEST_METRICS_TOKEN = 16
SHORTEST_KEY = 32

_ROLE = """
    SELECT rolsuper OR rolbypassrls,
           COALESCE((SELECT pg_has_role(relowner, 'USAGE') FROM pg_class
                     WHERE oid = to_regclass('tenants_organization')), false)
    FROM pg_roles WHERE rolname = current_user
"""


def refuse_misconfiguration() -> None:
    """Raise ImproperlyConfigured if an error was found by any check of this file; warnings are logged."""
    try:
        found = checks.run_checks(tags=[TAG], include_deployment_checks=True, databases=["default"])
    finally:
        connections.close_all()
    found.sort(key=lambda message: message.id or "")
    errors = [message for message in found if message.level >= checks.ERROR]
    if errors:
        raise ImproperlyConfigured(" ".join(f"{error.id}: {error.msg} {error.hint}" for error in errors))
    for message in found:
        log.warning("misconfigured", code=message.id)


def _in_production(check: Callable[[], list[CheckMessage]]) -> Callable[..., list[CheckMessage]]:
    def checked(app_configs: Sequence[Any] | None = None, **_: Any) -> list[CheckMessage]:
        return check() if settings.PRODUCTION else []

    checks.register(checked, Tags.security, TAG)
    return checked


@_in_production
def debug_is_off() -> list[CheckMessage]:
    """turnpike.E001: DEBUG shows code, settings and content of requests to anybody who causes an error."""
    if not settings.DEBUG:
        return []
    return [checks.Error("DEBUG is on in production.", hint="Unset DEBUG.", id="turnpike.E001")]


@_in_production
def secret_key_is_secret() -> list[CheckMessage]:
    """turnpike.E002: SECRET_KEY signs sessions and password resets."""
    if _is_secret(settings.SECRET_KEY, SHORTEST_SECRET_KEY):
        return []
    hint = f"Set SECRET_KEY to at least {SHORTEST_SECRET_KEY} random characters: openssl rand -base64 48."
    return [checks.Error("SECRET_KEY is missing, the default or too short.", hint=hint, id="turnpike.E002")]


@_in_production
def key_pepper_is_secret() -> list[CheckMessage]:
    """turnpike.E003: with the pepper known, a stolen table of keys can be searched for guesses."""
    if _is_secret(settings.KEY_PEPPER, SHORTEST_PEPPER) and settings.KEY_PEPPER != settings.SECRET_KEY:
        return []
    hint = (
        f"Set KEY_PEPPER to at least {SHORTEST_PEPPER} random characters of its own (openssl rand -base64 48), "
        "and keep it: every API key stops working when it changes."
    )
    return [checks.Error("KEY_PEPPER is missing, the default, too short or SECRET_KEY.", hint=hint, id="turnpike.E003")]


@_in_production
def hosts_are_named() -> list[CheckMessage]:
    """turnpike.E004: with any host accepted, a link in a password reset can lead to a stranger's host."""
    if settings.ALLOWED_HOSTS and "*" not in settings.ALLOWED_HOSTS:
        return []
    hint = "Set ALLOWED_HOSTS to the names this installation answers to, separated by commas."
    return [checks.Error("ALLOWED_HOSTS is empty or a wildcard.", hint=hint, id="turnpike.E004")]


@_in_production
def credential_keys_are_secret() -> list[CheckMessage]:
    """turnpike.E007: with a key known, a stolen database gives away every provider's credential."""
    keys = settings.CREDENTIAL_KEYS
    if keys and all(_is_secret_of_its_own(key) for key in keys):
        return []
    hint = (
        f"Set CREDENTIAL_KEYS to at least {SHORTEST_KEY} random characters of its own (openssl rand -base64 48), "
        "and keep it: credentials of pools cannot be opened without it."
    )
    message = "CREDENTIAL_KEYS is missing, or has a key that is the default, too short or another secret."
    return [checks.Error(message, hint=hint, id="turnpike.E007")]


@_in_production
def receipts_are_signed_by_a_secret() -> list[CheckMessage]:
    """turnpike.E008: whoever knows the key can sign receipts in our name."""
    key = settings.RECEIPT_SIGNING_KEY
    if _is_secret_of_its_own(key) and key not in settings.CREDENTIAL_KEYS:
        return []
    hint = f"Set RECEIPT_SIGNING_KEY to at least {SHORTEST_KEY} random characters of its own: openssl rand -base64 48."
    message = "RECEIPT_SIGNING_KEY is missing, the default, too short or another secret."
    return [checks.Error(message, hint=hint, id="turnpike.E008")]


@_in_production
def who_forwards_is_known() -> list[CheckMessage]:
    """turnpike.E009: without a proxy nobody is believed to have come by https, and pages redirect for ever."""
    if settings.TRUSTED_PROXIES or not settings.TRUST_FORWARDED_PROTO:
        return []
    hint = "Set TRUSTED_PROXIES to the networks of the proxies that end TLS."
    return [checks.Error("TRUST_FORWARDED_PROTO is on without TRUSTED_PROXIES.", hint=hint, id="turnpike.E009")]


@_in_production
def metrics_have_a_token() -> list[CheckMessage]:
    """turnpike.W001: without a token nobody can read /metrics or announce a stop."""
    if len(settings.METRICS_TOKEN) >= SHORTEST_METRICS_TOKEN:
        return []
    hint = "Set METRICS_TOKEN to random characters, and give it to Prometheus and to the pre-stop hook."
    return [checks.Warning("METRICS_TOKEN is missing or too short.", hint=hint, id="turnpike.W001")]


@_in_production
def mail_has_a_server() -> list[CheckMessage]:
    """turnpike.W003: without a mail server nobody can reset a password or confirm an address."""
    if settings.MAIL_HOST:
        return []
    return [checks.Warning("There is no mail server.", hint="Set EMAIL_HOST and EMAIL_FROM.", id="turnpike.W003")]


@checks.register(Tags.database, TAG, deploy=True)
def role_is_below_row_security(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """turnpike.E005 and E006: a superuser, a role with BYPASSRLS and the tables' owner see every tenant's rows."""
    return [message for alias in databases or [] for message in _role_of(alias)]


def _role_of(alias: str) -> list[CheckMessage]:
    try:
        with connections[alias].cursor() as cursor:
            cursor.execute(_ROLE)
            bypasses, owns = cursor.fetchone()
    except OperationalError:
        hint = "Start PostgreSQL, or correct DATABASE_URL. /readyz fails until it answers."
        return [checks.Warning("The database cannot be reached.", hint=hint, id="turnpike.W002")]
    hint = "Give DATABASE_URL the role turnpike_app; only migrations run as the owner."
    found: list[CheckMessage] = []
    if bypasses:
        message = "The database role is a superuser or bypasses row-level security."
        found.append(checks.Error(message, hint=hint, id="turnpike.E005"))
    if owns and not bypasses:
        found.append(checks.Error("The database role owns the tables.", hint=hint, id="turnpike.E006"))
    return found


def _is_secret(value: str, shortest: int) -> bool:
    return len(value) >= shortest and not value.startswith(settings.INSECURE_SECRET)


def _is_secret_of_its_own(value: str) -> bool:
    return _is_secret(value, SHORTEST_KEY) and value not in (settings.SECRET_KEY, settings.KEY_PEPPER)
