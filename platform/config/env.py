"""Typed readers of the environment: each setting is read once, and nonsense is refused by name."""

import os
import ssl
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from foundation import signing

_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "off"})
_POSTGRES_SCHEMES: Final = ("postgresql", "postgres")
_VALKEY_SCHEMES: Final = ("redis", "rediss", "valkey", "valkeys", "unix")


def text(name: str, *, default: str | None = None, at_least: int = 0) -> str:
    """Return a setting as it stands, without surrounding blanks; `at_least` is its shortest allowed length.

    Raises ImproperlyConfigured, as every reader here does, when the setting is missing without a default.
    """
    value = _raw(name)
    if value is None:
        return _default(name, default)
    if len(value) < at_least:
        raise _nonsense(name, f"needs at least {at_least} characters")
    return value


def flag(name: str, *, default: bool | None = None) -> bool:
    """Return a yes/no setting: 1, true, yes, on or 0, false, no, off in any case."""
    value = _raw(name)
    if value is None:
        return _default(name, default)
    if value.lower() in _TRUE:
        return True
    if value.lower() in _FALSE:
        return False
    raise _nonsense(name, "must be one of 1, true, yes, on, 0, false, no, off")


def number(name: str, *, default: int | None = None, at_least: int | None = None, at_most: int | None = None) -> int:
    """Return a whole number within the given bounds (both included)."""
    value = _raw(name)
    if value is None:
        return _default(name, default)
    # int() alone would take "1_000", "+5" and digits of other scripts, which nobody means in a deployment file.
    if not (value.isascii() and value.removeprefix("-").isdigit()):
        raise _nonsense(name, "must be a whole number")
    if at_least is not None and int(value) < at_least:
        raise _nonsense(name, f"must be at least {at_least}")
    if at_most is not None and int(value) > at_most:
        raise _nonsense(name, f"must be at most {at_most}")
    return int(value)


def choice(name: str, options: Sequence[str], *, default: str | None = None) -> str:
    """Return one of the named options, spelled exactly."""
    value = _raw(name)
    if value is None:
        return _default(name, default)
    if value not in options:
        raise _nonsense(name, f"must be one of {', '.join(options)}")
    return value


def list(name: str, *, default: Sequence[str] | None = None) -> Sequence[str]:  # noqa: A001 - read as env.list(...)
    """Return a comma-separated setting as its non-empty parts."""
    value = _raw(name)
    if value is None:
        return _default(name, default)
    return [part.strip() for part in value.split(",") if part.strip()]


def networks(name: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Return a comma-separated setting as networks in CIDR notation, a plain address as one of its own; or none."""
    try:
        return tuple(ip_network(part) for part in list(name, default=()))
    except ValueError as error:
        raise _nonsense(name, "must be networks as 10.0.0.0/8, with commas between them") from error


def public_keys(name: str) -> Sequence[str]:
    """Return comma-separated Ed25519 public keys, each as the `x` of a JWK; or none."""
    keys = list(name, default=())
    try:
        for key in keys:
            signing.check_public_key(key)
    except ValueError as error:
        raise _nonsense(name, "must be public keys as in the x of a JWK, with commas between them") from error
    return keys


def certificates(name: str) -> str:
    """Return the path of a file with certificates in PEM; empty without one."""
    value = _raw(name) or ""
    if value:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(value)
        except (OSError, ssl.SSLError) as error:
            raise _nonsense(name, "must be a file of certificates in PEM that can be read") from error
    return value


def url(name: str, *, schemes: Sequence[str], default: str | None = None) -> str:
    """Return an address whose scheme is one of `schemes` and that names a host or a path."""
    value = _raw(name)
    if value is None:
        return _default(name, default)
    check_url(name, value, schemes)
    return value


def check_url(name: str, value: str, schemes: Sequence[str]) -> None:
    """Raise ImproperlyConfigured unless `value` is an address that a client could use.

    The message never repeats the value: addresses carry passwords.
    """
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018 - reading it is what checks it
    except ValueError as error:
        raise _nonsense(name, "is not an address that can be parsed") from error
    if parts.scheme not in schemes:
        raise _nonsense(name, f"must start with {' or '.join(f'{scheme}://' for scheme in schemes)}")
    if not parts.hostname and not parts.path.strip("/"):
        raise _nonsense(name, "names neither a host nor a path")


def postgres_url(name: str, *, default: str | None = None) -> str:
    """Return a PostgreSQL address in libpq's form: postgresql://user:pw@host:port/db or ...///db?host=/socket/dir."""
    value = url(name, schemes=_POSTGRES_SCHEMES, default=default)
    django_database(name, value)
    return value


def valkey_url(name: str, *, default: str | None = None) -> str:
    """Return a Valkey address: redis://, rediss:// (TLS) or unix:///path/to/socket?db=0."""
    value = url(name, schemes=_VALKEY_SCHEMES, default=default)
    # redis-py knows its own two spellings only.
    return value.replace("valkey", "redis", 1) if value.startswith("valkey") else value


def django_database(name: str, address: str, **session: str) -> dict[str, Any]:
    """Translate a PostgreSQL address into one entry of Django's DATABASES.

    `session` holds PostgreSQL settings for every connection (`lock_timeout="5s"`). Parameters of the address that
    Django has no key for, such as sslmode, go to libpq as they are.
    """
    parts = urlsplit(address)
    query = dict(parse_qsl(parts.query))
    database = unquote(parts.path.removeprefix("/")) or query.pop("dbname", "")
    if not database:
        raise _nonsense(name, "names no database")
    if options := [*(f"-c {setting}={value}" for setting, value in session.items()), *query.get("options", "").split()]:
        query["options"] = " ".join(options)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": database,
        "USER": query.pop("user", "") or unquote(parts.username or ""),
        "PASSWORD": query.pop("password", "") or unquote(parts.password or ""),
        "HOST": query.pop("host", "") or unquote(parts.hostname or ""),
        "PORT": query.pop("port", "") or str(parts.port or ""),
        "OPTIONS": query,
    }


def _raw(name: str) -> str | None:
    # An empty variable counts as absent: compose files and Helm charts write NAME= for "not set".
    return os.environ.get(name, "").strip() or None


def _default[T](name: str, default: T | None) -> T:
    if default is None:
        raise ImproperlyConfigured(f"{name} is not set, and there is no default for it.")
    return default


def _nonsense(name: str, why: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{name} {why}.")
