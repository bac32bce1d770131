"""SQL for migrations: which rows and which tables the application's database role may touch.

Two roles: the owner runs migrations; the application signs in as `turnpike_app`, which owns nothing, may do to a table
only what a migration granted, and sees a tenant's rows only while the transaction is scoped to that tenant
(isolation.py sets `turnpike.scope` to an organisation's id or to 'all'; unset shows nothing).
A migration that makes a tenant's table says:

    migrations.RunSQL(row_security.enable("keys_apikey") + row_security.grant("keys_apikey", "SELECT, INSERT, UPDATE"),
                      migrations.RunSQL.noop)

The table's owner is above the policies, so functions marked SECURITY DEFINER see all rows.
"""

ROLE = "turnpike_app"

_REFUSE = "FOR EACH STATEMENT EXECUTE FUNCTION turnpike_append_only()"
_IS_SCOPED = "COALESCE(current_setting('turnpike.scope', true), '') <> ''"


def enable(table: str, column: str = "organization_id", *, shared: bool = False) -> list[str]:
    """Show rows of `table` to the tenant named in `column` only.

    With `shared`, rows without a tenant can be read (never written) by every tenant.
    """
    statements = [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"CREATE POLICY tenant_rows ON {table} USING (turnpike_sees({column}))",
    ]
    if shared:
        statements.append(
            f"CREATE POLICY shared_rows ON {table} FOR SELECT USING ({column} IS NULL AND {_IS_SCOPED})",
        )
    return statements


def disable(table: str) -> list[str]:
    """Undo `enable`."""
    return [
        f"DROP POLICY IF EXISTS shared_rows ON {table}",
        f"DROP POLICY IF EXISTS tenant_rows ON {table}",
        f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
    ]


def grant(table: str, privileges: str) -> list[str]:
    """Let the application do this to the table (or view); `privileges` as in SQL: "SELECT, INSERT"."""
    return [f"GRANT {privileges} ON {table} TO {ROLE}"]


def revoke(table: str) -> list[str]:
    """Undo every `grant` on the table."""
    return [f"REVOKE ALL ON {table} FROM {ROLE}"]


def append_only(table: str) -> list[str]:
    """Refuse to change or remove rows, to everybody: the owner, too, would have to drop the trigger first."""
    return [
        f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} {_REFUSE}",
    ]


CREATE_ROLE = """
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'turnpike_app') THEN
        CREATE ROLE turnpike_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'turnpike_app' AND (rolsuper OR rolbypassrls)) THEN
        RAISE EXCEPTION 'The role turnpike_app is above row-level security, so tenants would not be kept apart.'
            USING HINT = 'As a superuser: ALTER ROLE turnpike_app NOSUPERUSER NOBYPASSRLS;';
    END IF;
EXCEPTION
    -- Roles belong to the whole server: a migration of another database may just have made this one.
    WHEN duplicate_object OR unique_violation THEN NULL;
    WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'The role turnpike_app is missing, and % may not create roles.', current_user
            USING HINT = 'As a superuser: CREATE ROLE turnpike_app LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD ''...'';'
                ' then migrate again.';
END $$
"""

FUNCTIONS = [
    # Rows without a tenant (organization IS NULL) are seen by 'all' only.
    """
    CREATE OR REPLACE FUNCTION turnpike_sees(organization uuid) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN COALESCE(
        current_setting('turnpike.scope', true) = 'all'
        OR current_setting('turnpike.scope', true) = organization::text,
        false
    )
    """,
    """
    CREATE OR REPLACE FUNCTION turnpike_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END $$
    """,
]

SCHEMA_GRANTS = [
    "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    f"GRANT USAGE ON SCHEMA public TO {ROLE}",
]

FOUNDATIONS: list[str] = [CREATE_ROLE, *FUNCTIONS, *SCHEMA_GRANTS]
"""What the very first migration runs, before there is any table."""
