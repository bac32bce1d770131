"""Databases for tests: one migrated template, and copies of it that are made in a blink."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count

import psycopg
from django.core.management import call_command
from django.db import connections
from psycopg import sql

from config.local import postgres
from tests.own_servers import HERE

_TEMPLATE = "turnpike_template"
_numbers = count(1)


@dataclass(frozen=True)
class Database:
    """A database of its own, migrated and empty, that may be committed to."""

    name: str

    @property
    def url(self) -> str:
        """The application's address of it."""
        return postgres.url(HERE, database=self.name)

    @property
    def owner_url(self) -> str:
        """The owner's address of it: above row-level security."""
        return postgres.url(HERE, database=self.name, user=postgres.OWNER)

    def sql(self, query: str, *parameters: object) -> list[tuple]:
        """Run a query as the owner and return its rows."""
        with psycopg.connect(self.owner_url, autocommit=True) as connection:
            # `prepare` and the protocol's typing are nothing to a test: the query comes from its author.
            cursor = connection.execute(query.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []


def migrate_template() -> None:
    """Migrate the template as the owner, as a deployment does, and copy it to the database of ordinary tests."""
    _run("CREATE DATABASE {}", _TEMPLATE)
    with _connected_to(_TEMPLATE, postgres.OWNER):
        call_command("migrate", verbosity=0, interactive=False)
    _run("DROP DATABASE {}", postgres.DATABASE)
    _copy(postgres.DATABASE)


@contextmanager
def fresh() -> Iterator[Database]:
    """Copy the template, and remove the copy afterwards, whoever is still connected."""
    database = Database(f"turnpike_{next(_numbers)}")
    _copy(database.name)
    try:
        yield database
    finally:
        _run("DROP DATABASE {} WITH (FORCE)", database.name)


@contextmanager
def default(database: Database) -> Iterator[None]:
    """Make it the database of Django's connections, in every thread that opens one."""
    with _connected_to(database.name, postgres.APPLICATION):
        yield


@contextmanager
def aside(database: Database) -> Iterator[None]:
    """Use it on a connection of its own, and leave the one that is open, with its transaction, as it is."""
    usual = connections["default"]
    other = usual.copy()
    other.settings_dict["NAME"] = database.name
    connections["default"] = other
    try:
        yield
    finally:
        other.close()
        connections["default"] = usual


@contextmanager
def _connected_to(name: str, user: str) -> Iterator[None]:
    # Every thread's connection is made from this one dictionary.
    settings = connections.settings["default"]
    usual = {"NAME": settings["NAME"], "USER": settings["USER"]}
    connections["default"].close()
    settings.update(NAME=name, USER=user)
    try:
        yield
    finally:
        connections["default"].close()
        settings.update(usual)


def _copy(name: str) -> None:
    _run("CREATE DATABASE {} TEMPLATE {}", name, _TEMPLATE)


def _run(statement: str, *names: str) -> None:
    address = postgres.url(HERE, database="postgres", user=postgres.OWNER)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
