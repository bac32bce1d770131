"""The second guard between tenants and the first around the books, as the real database has them."""

from typing import Any

import pytest
from django.db import connection

from tenants.row_security import ROLE
from tests.architecture.test_tables import WITHOUT_ORGANIZATION

pytestmark = pytest.mark.django_db

APPEND_ONLY = ("billing_ledgertransaction", "billing_ledgerentry", "tenants_auditevent", "tenants_auditlink")
TENANT_TABLES = """
    SELECT class.relname, class.relrowsecurity, class.relispartition,
           EXISTS (SELECT FROM pg_policies WHERE tablename = class.relname AND qual LIKE '%%turnpike_sees%%')
    FROM pg_class AS class
    JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid AND attribute.attname = 'organization_id'
    WHERE class.relkind IN ('r', 'p') AND class.relnamespace = 'public'::regnamespace
"""


def rows(statement: str, *parameters: str) -> list[tuple[Any, ...]]:
    """Run one statement and return its rows."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def test_every_tenant_table_has_row_security():
    tables = [
        (name, secured and has_policy) for name, secured, is_part, has_policy in rows(TENANT_TABLES) if not is_part
    ]
    assert len(tables) >= 10
    assert not [name for name, is_guarded in tables if not is_guarded]


def test_nobody_reaches_a_partition_around_the_policy_of_its_table():
    parts = [name for name, _, is_part, _ in rows(TENANT_TABLES) if is_part]
    assert parts
    assert not [name for name in parts if _privileges(name)]


def test_the_role_of_the_application_is_below_the_policies():
    assert rows("SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = %s", ROLE) == [
        (False, False, False, False)
    ]


def test_the_role_of_the_application_owns_nothing():
    assert not rows("SELECT relname FROM pg_class JOIN pg_roles ON pg_roles.oid = relowner WHERE rolname = %s", ROLE)


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_the_books_take_no_update_and_no_delete(table: str):
    assert not _privileges(table) & {"UPDATE", "DELETE", "TRUNCATE"}
    assert rows(
        "SELECT count(*) > 0 FROM pg_trigger WHERE tgrelid = %s::regclass AND tgname LIKE 'append_only%%'", table
    ) == [(True,)]


def test_nothing_is_granted_to_everybody():
    grants = "SELECT table_name FROM information_schema.table_privileges WHERE grantee = 'PUBLIC'"
    assert not rows(grants + " AND table_schema = 'public'")


def test_tables_without_row_security_are_on_the_list():
    open_tables = rows(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relrowsecurity AND NOT relispartition"
        " AND relnamespace = 'public'::regnamespace AND relname ~ '^(tenants|keys|billing|inference)_'"
    )
    assert {name for (name,) in open_tables} <= set(WITHOUT_ORGANIZATION)


def test_functions_above_the_policies_pin_their_search_path():
    loose = rows(
        "SELECT proname FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace"
        " AND NOT COALESCE(array_to_string(proconfig, ','), '') LIKE '%%search_path=%%'"
    )
    assert not loose


def _privileges(table: str) -> set[str]:
    granted = rows(
        "SELECT privilege_type FROM information_schema.table_privileges WHERE table_name = %s AND grantee = %s",
        table,
        ROLE,
    )
    return {privilege for (privilege,) in granted}
