"""What the processes of an installation are told: files of NAME=value lines that a shell, too, can read.

`secrets.env` is made once. `settings.env` is what the running processes were given, by which `manage.py` finds them.
`demo.env` is for people and their programs (docs: the outside contract). All three are for their owner's eyes only.
"""

import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from config.local import postgres, valkey
from config.local.errors import CannotStart, explain
from config.local.places import REPOSITORY, SETTINGS, Places, at

_SAFE = re.compile(r"[A-Za-z0-9_@%+=:,./?-]*")
_EMBEDDED = re.compile(rf"postgresql://\w+@/{postgres.DATABASE}\?host=.+/postgres|unix://.+/valkey\.sock")
_QUOTED = re.compile(r"^'([^']*)'$")
DEFAULT_DATA = ".local"


def read(file: Path) -> dict[str, str]:
    """Return the names and values of a file; nothing where there is none."""
    try:
        return parse(file.read_text())
    except FileNotFoundError:
        return {}


def parse(text: str) -> dict[str, str]:
    """Return the names and values of NAME=value lines."""
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {name: _QUOTED.sub(r"\1", value) for name, _, value in pairs}


def write(file: Path, values: Mapping[str, str]) -> None:
    """Replace a file at once, so that a reader finds the old one or the new one, and nobody else finds any."""
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        unfinished.unlink(missing_ok=True)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as output:
            output.write(as_lines(values))
            output.flush()
            os.fsync(output.fileno())
        unfinished.replace(file)
    except OSError as error:
        raise explain(error, file.parent) from error


def as_lines(values: Mapping[str, str]) -> str:
    """Return NAME=value lines; a value with characters that mean something to a shell is quoted."""
    return "".join(f"{name}={value if _SAFE.fullmatch(value) else _quote(value)}\n" for name, value in values.items())


def own_secrets(places: Places) -> dict[str, str]:
    """Return this installation's secrets, made the first time and the same ever after.

    A new pepper would make every key that was ever issued worthless, so a lost file is refused, not replaced.
    """
    known = read(places.secrets)
    names = ("SECRET_KEY", "KEY_PEPPER", "METRICS_TOKEN", "CREDENTIAL_KEYS", "RECEIPT_SIGNING_KEY")
    if not known and places.demo.exists() and (places.postgres / "PG_VERSION").exists():
        raise CannotStart(
            f"{places.secrets} is gone, and without it no key of this installation works: put it back, or start anew"
            " with another DATA=<folder>."
        )
    if any(name not in known for name in names):
        known = {name: secrets.token_urlsafe(48) for name in names} | known
        write(places.secrets, known)
    return known


def stores(places: Places) -> dict[str, str]:
    """Return the addresses of the stores: the embedded ones, but for those that the caller's environment names."""
    own = {
        "DATABASE_URL": postgres.url(places),
        "DATABASE_OWNER_URL": postgres.url(places, user=postgres.OWNER),
        "REDIS_URL": valkey.url(places),
    }
    given = {name: value for name in own if (value := os.environ.get(name)) and not is_embedded(value)}
    if "DATABASE_URL" in given:
        # Who brings a database brings its owner as well; often both are the same role.
        own["DATABASE_OWNER_URL"] = given["DATABASE_URL"]
    return own | given


def is_embedded(address: str) -> bool:
    """Tell whether an address is that of an embedded store.

    In an environment it comes from a `demo.env` that was read into the shell, and is no wish for a store of one's own.
    """
    return bool(_EMBEDDED.fullmatch(address))


def data_folder() -> Path:
    """Return the data folder that commands mean: DATA, by default `.local` in the checkout."""
    return Path(os.environ.get("DATA") or REPOSITORY / DEFAULT_DATA)


def adopt() -> None:
    """Take the settings of the installation that is meant, unless the environment names a database of its own.

    Meant is the one in DATA, else the one whose `demo.env` was read into the shell, else the one in `.local`. This is
    how `python manage.py <command>` finds a running `make up`. All of its settings are taken: a key that is made with
    the pepper of one installation and the database of another would be worthless.
    """
    given = os.environ.get("DATABASE_URL", "")
    if given and not is_embedded(given):
        return
    beside = Path(_socket_folder(given)) / SETTINGS if given and not os.environ.get("DATA") else None
    settings = read(beside or at(data_folder()).settings)
    if given and _socket_folder(given) == _socket_folder(settings.get("DATABASE_URL", "")):
        del settings["DATABASE_URL"]  # it is this installation's already, perhaps as its owner, who migrates
    os.environ.update(settings)


def addresses() -> dict[str, str]:
    """Return the stores that this process uses, by the names of a `demo.env`."""
    return {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL") if os.environ.get(name)}


def _socket_folder(address: str) -> str:
    host = dict(parse_qsl(urlsplit(address).query)).get("host", "")
    return host.removesuffix("/postgres")


def _quote(value: str) -> str:
    if "'" in value or "\n" in value:
        raise CannotStart(f"A setting holds a quote or a line break, which an environment file cannot say: {value!r}")
    return f"'{value}'"
