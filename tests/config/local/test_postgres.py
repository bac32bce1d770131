"""The embedded PostgreSQL as `make up` starts it."""

import time

import psycopg
import pytest

from config.local import postgres
from config.local.errors import CannotStart


@pytest.fixture
def here(prepared, tmp_path):
    # As root this is a folder that PostgreSQL's own account cannot walk to, like one below /root.
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    return prepared(closed / "data")


def ask(here, query, user=postgres.OWNER):
    with psycopg.connect(postgres.url(here, user=user), autocommit=True) as connection:
        cursor = connection.execute(query)
        return cursor.fetchall() if cursor.description else []


def test_it_is_durable_private_and_survives_a_crash(here):
    server = postgres.start(here, pause=time.sleep)
    try:
        postgres.make_roles(here)
        postgres.make_roles(here)
        for setting in ("fsync", "full_page_writes", "synchronous_commit", "data_checksums"):
            assert ask(here, f"SHOW {setting}") == [("on",)]
        assert ask(here, "SHOW listen_addresses") == [("",)]
        ask(here, "CREATE TABLE note (page) AS VALUES (1)")
    finally:
        server.kill()
    again = postgres.start(here, pause=time.sleep)
    try:
        assert ask(here, "SELECT page FROM note") == [(1,)]
        assert ask(
            here, "SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user", "turnpike_app"
        ) == [(False, False)]
    finally:
        again.stop()


def test_a_lock_whose_process_is_somebody_elses_is_removed(tmp_path):
    (tmp_path / "postmaster.pid").write_text("1\n")
    postgres._forget_a_dead_server(tmp_path)
    assert not (tmp_path / "postmaster.pid").exists()


def test_data_of_another_version_is_refused(here):
    here.postgres.mkdir()
    (here.postgres / "PG_VERSION").write_text("17\n")
    with pytest.raises(CannotStart, match="written by PostgreSQL 17"):
        postgres.start(here, pause=time.sleep)
