"""The SQL that migrations use, tried on a table made for it."""

import psycopg
import pytest

from tenants import row_security

OURS = "01890a5d-ac96-774b-bcce-b302099a8057"
THEIRS = "01890a5d-ac96-774b-bcce-b302099a8058"


@pytest.fixture
def database(fresh_database):
    for statement in (
        "CREATE TABLE thing (organization_id uuid)",
        f"INSERT INTO thing VALUES ('{OURS}'), ('{THEIRS}'), (NULL)",
        *row_security.grant("thing", "SELECT, INSERT, UPDATE, DELETE"),
    ):
        fresh_database.sql(statement)
    return fresh_database


def count(database, scope: str, statement: str = "SELECT count(*) FROM thing") -> int:
    """Run a statement as the application in this scope, and return its number (or how many rows it changed)."""
    with psycopg.connect(database.url, options=f"-c turnpike.scope={scope}") as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall()[0][0] if cursor.description else cursor.rowcount


def apply(database, statements: list[str]) -> None:
    for statement in statements:
        database.sql(statement)


def test_a_policy_shows_the_rows_of_the_scope_and_all_of_them_to_all(database):
    apply(database, row_security.enable("thing"))
    assert [count(database, scope) for scope in (OURS, "all", "")] == [1, 3, 0]


def test_shared_rows_can_be_read_by_every_tenant_and_written_by_none(database):
    apply(database, row_security.enable("thing", shared=True))
    assert [count(database, scope) for scope in (OURS, "all", "")] == [2, 3, 0]
    assert count(database, OURS, "DELETE FROM thing") == 1
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        count(database, OURS, "INSERT INTO thing VALUES (NULL)")


def test_a_policy_can_be_undone(database):
    apply(database, row_security.enable("thing", shared=True) + row_security.disable("thing"))
    assert count(database, "") == 3


def test_without_a_grant_the_application_may_do_nothing(database):
    apply(database, row_security.revoke("thing"))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        count(database, "all")


@pytest.mark.parametrize(
    "statement", ["UPDATE thing SET organization_id = NULL", "DELETE FROM thing", "TRUNCATE thing"]
)
def test_append_only_holds_even_for_the_owner(database, statement):
    apply(database, row_security.append_only("thing"))
    with pytest.raises(psycopg.errors.RestrictViolation, match="thing is append-only"):
        database.sql(statement)


def test_the_foundations_can_be_laid_again(database):
    apply(database, row_security.FOUNDATIONS)


def test_a_migration_that_may_not_make_the_role_says_what_to_do(database):
    refused = row_security.CREATE_ROLE.replace("turnpike_app", "turnpike_missing")
    with pytest.raises(psycopg.errors.RaiseException, match="may not create roles") as caught:
        count(database, "", refused)
    assert "CREATE ROLE turnpike_missing" in str(caught.value.diag.message_hint)


def test_a_role_above_the_policies_is_refused(database):
    above = row_security.CREATE_ROLE.replace("'turnpike_app'", "current_user")
    with pytest.raises(psycopg.errors.RaiseException, match="above row-level security"):
        database.sql(above)
