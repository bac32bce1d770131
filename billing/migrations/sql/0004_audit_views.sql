-- The stable, read-only views that auditors rely on (docs/money.md). Ids are the public ones: prefix and hex.
CREATE FUNCTION turnpike_public_id(prefix text, id uuid) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT prefix || '_' || replace(id::text, '-', '')
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
