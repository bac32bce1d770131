-- The stable, read-only views that auditors rely on (docs/money.md). Ids are the public ones: TypeIDs.

-- 40 bits as eight digits of Crockford's base 32.
CREATE FUNCTION turnpike_base32(bits bigint) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT substr('0123456789abcdefghjkmnpqrstvwxyz', (bits >> 35 & 31)::integer + 1, 1)
        || substr('0123456789abcdefghjkmnpqrstvwxyz', (bits >> 30 & 31)::integer + 1, 1)
        || substr('0123456789abcdefghjkmnpqrstvwxyz', (bits >> 25 & 31)::integer + 1, 1)
        || substr('0123456789abcdefghjkmnpqrstvwxyz', (bits >> 20 & 31)::integer + 1, 1)
        || substr('0123456789abcdefghjkmnpqrstvwxyz', (bits >> 15 & 31)::integer + 1, 1)
        || substr('0123456789abcdefghjkmnpqrstvwxyz', (bits >> 10 & 31)::integer + 1, 1)
        || substr('0123456789abcdefghjkmnpqrstvwxyz', (bits >> 5 & 31)::integer + 1, 1)
        || substr('0123456789abcdefghjkmnpqrstvwxyz', (bits & 31)::integer + 1, 1)
$$;

-- A uuid as people see it (`foundation.ids.public`): 128 bits are 8 bits as two digits, then three times 40 bits.
CREATE FUNCTION turnpike_public_id(prefix text, id uuid) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT prefix || '_'
        || right(turnpike_base32(('x' || left(hex, 2))::bit(8)::integer::bigint), 2)
        || turnpike_base32(('x' || substr(hex, 3, 10))::bit(40)::bigint)
        || turnpike_base32(('x' || substr(hex, 13, 10))::bit(40)::bigint)
        || turnpike_base32(('x' || substr(hex, 23, 10))::bit(40)::bigint)
    FROM replace(id::text, '-', '') AS hex
$$;

CREATE VIEW audit_entry AS
SELECT turnpike_public_id('txn', t.id) AS txn,
    e.account || ':' || turnpike_public_id('org', e.organization_id) AS account,
    e.amount_nusd, e.kind, t.at
FROM billing_ledgerentry e JOIN billing_ledgertransaction t ON t.id = e.transaction_id;

CREATE VIEW audit_wallet AS
SELECT turnpike_public_id('org', p.organization_id) AS org, p.posted_nusd, p.held_nusd
FROM billing_purse p WHERE p.kind = 'wallet' OFFSET 0;

CREATE VIEW audit_hold AS
SELECT turnpike_public_id('req', h.request_id) AS request_id,
    CASE WHEN h.expires_at < clock_timestamp() THEN 'expired' ELSE 'held' END AS state,
    h.amount_nusd, h.expires_at
FROM billing_hold h OFFSET 0;

CREATE VIEW audit_usage AS
SELECT turnpike_public_id('req', u.request_id) AS request_id, turnpike_public_id('org', u.organization_id) AS org,
    turnpike_public_id('key', u.key_id) AS key, u.model, u.prompt_tokens, u.completion_tokens, u.cost_nusd,
    u.outcome, u.usage_source, u.at
FROM billing_usagerecord u OFFSET 0;

CREATE VIEW audit_credit AS
SELECT t.reference AS stripe_object, e.amount_nusd
FROM billing_ledgertransaction t JOIN billing_ledgerentry e ON e.transaction_id = t.id AND e.account = 'wallet'
WHERE t.kind = 'stripe';

GRANT SELECT ON audit_entry, audit_wallet, audit_hold, audit_usage, audit_credit TO turnpike_app;
