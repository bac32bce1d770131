"""Where an installation keeps what: the data folder, and a short folder for its sockets."""

import hashlib
import os
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from config.local.accounts import reaches, unprivileged
from config.local.errors import CannotStart, explain

# sockaddr_un.sun_path holds 108 bytes with its closing zero (man 7 unix).
_LONGEST_SOCKET = 107
_SOCKET_NAMES = ("postgres/.s.PGSQL.5432.lock", "valkey.sock")
SETTINGS = "settings.env"
REPOSITORY = Path(__file__).resolve().parents[3]


@dataclass(frozen=True, slots=True)
class Places:
    """The files and folders of one installation, all below `data` but, where its path is too long, the sockets."""

    data: Path
    sockets: Path

    @property
    def postgres(self) -> Path:
        return self.data / "postgres"

    @property
    def postgres_socket(self) -> Path:
        """The folder that libpq calls the host."""
        return self.sockets / "postgres"

    @property
    def valkey(self) -> Path:
        return self.data / "valkey"

    @property
    def valkey_socket(self) -> Path:
        return self.sockets / "valkey.sock"

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    @property
    def run(self) -> Path:
        """What only matters while something runs: pid files and the launcher's lock."""
        return self.data / "run"

    @property
    def metrics(self) -> Path:
        """Where all processes write their counters (PROMETHEUS_MULTIPROC_DIR); emptied by each start."""
        return self.run / "metrics"

    @property
    def secrets(self) -> Path:
        return self.data / "secrets.env"

    @property
    def settings(self) -> Path:
        """The environment that the running processes were given; `manage.py` finds the installation by it."""
        return self.data / SETTINGS

    @property
    def demo(self) -> Path:
        return self.data / "demo.env"


def at(data: Path) -> Places:
    """Name the places of the installation in `data` without touching the disk."""
    data = data.expanduser().absolute()
    return Places(data, _socket_folder(data))


def prepare(places: Places) -> None:
    """Make the folders. As root others may pass through them, for PostgreSQL runs as somebody else, but not look in."""
    mode = 0o711 if os.geteuid() == 0 else 0o700
    try:
        for folder in (places.data, places.logs, places.run):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(mode)
        places.sockets.mkdir(mode=mode, parents=True, exist_ok=True)
        _refuse_a_strangers_folder(places.sockets)
        places.sockets.chmod(mode)
        _point_to(places.settings, places.sockets / SETTINGS)
    except OSError as error:
        raise explain(error, places.data) from error


def _point_to(settings: Path, link: Path) -> None:
    """Let whoever knows a socket find the settings that go with it."""
    link.unlink(missing_ok=True)
    link.symlink_to(settings)


def forget_sockets(places: Places) -> None:
    """Remove the folder of the sockets where it lies outside the data folder."""
    if places.sockets != places.run:
        shutil.rmtree(places.sockets, ignore_errors=True)


def _socket_folder(data: Path) -> Path:
    inside = data / "run"
    # Not every client of a socket undoes the %20 of an address: a folder with blanks gets the short one as well.
    if _fits(inside) and _reachable(inside) and quote(str(inside)) == str(inside):
        return inside
    # The same data folder always gets the same short name, so that a restart finds its leftovers.
    name = f"turnpike-{os.geteuid()}-{hashlib.sha256(os.fsencode(data)).hexdigest()[:12]}"
    outside = Path("/run" if os.geteuid() == 0 else os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
    candidates = [base / name for base in (outside, Path("/tmp"))]  # noqa: S108 - prepare() checks whose it is
    return next(
        (folder for folder in candidates if os.access(folder.parent, os.W_OK) and _fits(folder)), candidates[-1]
    )


def _fits(folder: Path) -> bool:
    return all(len(os.fsencode(folder / name)) <= _LONGEST_SOCKET for name in _SOCKET_NAMES)


def _reachable(folder: Path) -> bool:
    existing = next(parent for parent in folder.parents if parent.exists())
    return reaches(unprivileged(), existing / "anything")


def _refuse_a_strangers_folder(folder: Path) -> None:
    """A folder in /tmp may have been put there by somebody else, who would then own our sockets."""
    facts = folder.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.geteuid():
        raise CannotStart(
            f"{folder} belongs to somebody else: remove it, or choose another data folder with DATA=<folder>."
        )
