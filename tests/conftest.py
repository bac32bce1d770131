"""What every test may ask for. Read tests/own_servers.py first: the servers are real, and this session's own."""

from collections.abc import Iterator

import pytest
from django.db import connection

from tests import databases, own_servers, strays
from tests.installation import Installation, running


@pytest.fixture(scope="session", autouse=True)
def no_process_is_left_behind() -> Iterator[None]:
    """Fail the session if a process that it started, however indirectly, still runs at its end."""
    strays.adopt_orphans()
    yield
    assert not strays.find()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[None]:
    """PostgreSQL of this session's own, running."""
    server = own_servers.start_postgres()
    yield
    server.stop()


@pytest.fixture(scope="session")
def valkey() -> Iterator[None]:
    """Valkey of this session's own, running at settings.REDIS_URL; nothing empties it between tests."""
    server = own_servers.start_valkey()
    yield
    server.stop()


@pytest.fixture(scope="session")
def django_db_setup(postgres_server, valkey, django_db_blocker) -> None:
    """Stands in for pytest-django's: migrated as the owner, used as the application's own role, so that row-level
    security and grants are as real as in production.
    """
    with django_db_blocker.unblock():
        databases.migrate_template()


@pytest.fixture(autouse=True)
def the_arrangement_sees_everything(request) -> None:
    """Let a test with a database see every tenant's rows until it enters a scope of its own."""
    if request.node.get_closest_marker("django_db") or "db" in request.fixturenames:
        request.getfixturevalue("db")
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('turnpike.scope', 'all', true)")


@pytest.fixture
def fresh_database(request, settings, django_db_setup, django_db_blocker) -> Iterator[databases.Database]:
    """A migrated database of this test's own that is really committed to, for threads, asyncio and processes.

    Django's connections and settings.DATABASE_URL point at it. Outside a transaction no tenant's row can be seen: say
    `with isolation.everything():`.
    """
    assert "db" not in request.fixturenames, "a test uses either the `db` fixture or `fresh_database`"
    with django_db_blocker.unblock(), databases.fresh() as database, databases.default(database):
        settings.DATABASE_URL = database.url
        yield database


@pytest.fixture(scope="session")
def installation(django_db_setup, django_db_blocker) -> Iterator[Installation]:
    """A whole running Turnpike with simulators; found an organisation with `.organization()`, and talk to it."""
    with databases.fresh() as database, running(database, django_db_blocker.unblock) as everything:
        yield everything


def pytest_collection_modifyitems(items) -> None:
    """The application may not TRUNCATE, and flushing would take the migrations' own rows: copies are faster anyway."""
    for item in items:
        mark = item.get_closest_marker("django_db")
        if mark and (mark.args or mark.kwargs.get("transaction")):
            raise pytest.UsageError(f"{item.nodeid}: use the fixture fresh_database instead of transaction=True.")
