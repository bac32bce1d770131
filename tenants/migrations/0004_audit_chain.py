"""Chains audit events by their hashes, refuses to change them, and shows the chain as the view `audit_trail`.

An event is linked as its transaction commits (a deferred trigger): the lock on the chain's end is then held for an
instant only, and a transaction rolled back leaves no gap. The trigger runs as the owner: nobody else writes links.
"""

from django.db import migrations

from tenants import row_security

HASH = """
CREATE FUNCTION turnpike_audit_hash(prev_hash bytea, event tenants_auditevent) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
RETURN sha256(prev_hash || convert_to(jsonb_build_array(
    event.id, event.organization_id, event.actor_kind, event.actor_id, event.actor_label, event.action,
    event.target_kind, event.target_id, event.facts,
    to_char(event.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
)::text, 'UTF8'))
"""

CHAIN = """
CREATE FUNCTION turnpike_audit_chain() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    last tenants_auditlink;
    prev bytea;
BEGIN
    -- Until this transaction has ended. The number is arbitrary; nothing else takes it.
    PERFORM pg_advisory_xact_lock(7046029254386353131);
    SELECT * INTO last FROM tenants_auditlink ORDER BY seq DESC LIMIT 1;
    prev := COALESCE(last.hash, decode(repeat('00', 32), 'hex'));
    INSERT INTO tenants_auditlink (seq, event_id, prev_hash, hash)
    SELECT COALESCE(last.seq, 0) + 1, event.id, prev, turnpike_audit_hash(prev, event)
    FROM tenants_auditevent event WHERE event.id = NEW.id;
    RETURN NULL;
END $$
"""

TRIGGER = """
CREATE CONSTRAINT TRIGGER chain_at_commit AFTER INSERT ON tenants_auditevent
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION turnpike_audit_chain()
"""

# OFFSET keeps PostgreSQL from making the view updatable by itself.
VIEW = "CREATE VIEW audit_trail AS SELECT seq, prev_hash, hash FROM tenants_auditlink OFFSET 0"

APPLY = [
    HASH,
    CHAIN,
    TRIGGER,
    *row_security.append_only("tenants_auditevent"),
    *row_security.append_only("tenants_auditlink"),
    VIEW,
    *row_security.grant("audit_trail", "SELECT"),
]
UNDO = [
    "DROP VIEW audit_trail",
    "DROP TRIGGER append_only ON tenants_auditlink",
    "DROP TRIGGER append_only ON tenants_auditevent",
    "DROP TRIGGER chain_at_commit ON tenants_auditevent",
    "DROP FUNCTION turnpike_audit_chain",
    "DROP FUNCTION turnpike_audit_hash",
]


class Migration(migrations.Migration):
    dependencies = [("tenants", "0003_row_security")]

    operations = [migrations.RunSQL([*APPLY], [*UNDO])]
