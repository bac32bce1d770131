-- The usage sub-ledger, range-partitioned by month on its UUIDv7 key: the key stays unique across partitions.
CREATE TABLE billing_usagerecord (
    request_id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    project_id uuid NOT NULL,
    key_id uuid NOT NULL,
    customer varchar(128) NOT NULL DEFAULT '',
    model varchar(128) NOT NULL,
    pool varchar(128) NOT NULL DEFAULT '',
    replica varchar(255) NOT NULL DEFAULT '',
    endpoint varchar(64) NOT NULL DEFAULT '',
    streamed boolean NOT NULL DEFAULT false,
    outcome varchar(16) NOT NULL,
    usage_source varchar(16) NOT NULL,
    status smallint NOT NULL DEFAULT 0,
    prompt_tokens bigint NOT NULL DEFAULT 0,
    cached_tokens bigint NOT NULL DEFAULT 0,
    completion_tokens bigint NOT NULL DEFAULT 0,
    -- What is charged beside tokens: characters, seconds, images.
    unit varchar(16) NOT NULL DEFAULT '',
    quantity bigint NOT NULL DEFAULT 0,
    price_version integer,
    hold_nusd bigint NOT NULL DEFAULT 0,
    cost_nusd bigint NOT NULL DEFAULT 0,
    late boolean NOT NULL DEFAULT false,
    transaction_id uuid,
    purses uuid[] NOT NULL DEFAULT '{}',
    ttft_ms integer,
    latency_ms integer,
    started_at timestamptz NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT usage_counts_never_negative
        CHECK (prompt_tokens >= 0 AND cached_tokens >= 0 AND completion_tokens >= 0 AND quantity >= 0 AND cost_nusd >= 0),
    CONSTRAINT usage_charged_by_a_transaction CHECK ((cost_nusd > 0) = (transaction_id IS NOT NULL))
) PARTITION BY RANGE (request_id);
CREATE INDEX usage_by_organization ON billing_usagerecord (organization_id, request_id);
-- Catches ids outside the months that were prepared, so that no settlement ever fails for want of a partition.
CREATE TABLE billing_usagerecord_default PARTITION OF billing_usagerecord DEFAULT;

-- The smallest UUIDv7 of an instant: 48 bits of milliseconds, then zeros (RFC 9562).
CREATE FUNCTION turnpike_lowest_uuid(at timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex(floor(extract(epoch FROM at) * 1000)::bigint), 12, '0') || '70008000000000000000')::uuid
$$;

-- In-flight rows come and go thousands of times a second: vacuum by count, and leave room for updates in place.
ALTER TABLE billing_hold SET (
    fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 20000
);
ALTER TABLE billing_purse SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- Every transaction sums to zero. Its entries come in one statement, so one check for the statement is enough.
CREATE FUNCTION turnpike_refuse_unbalanced() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM added GROUP BY transaction_id HAVING sum(amount_nusd) <> 0) THEN
        RAISE EXCEPTION 'ledger transactions must sum to zero' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'ledger_transaction_sums_to_zero';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_transaction_sums_to_zero AFTER INSERT ON billing_ledgerentry
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION turnpike_refuse_unbalanced();
