-- Charges each request of a batch exactly once: the hold goes, the purses move, the ledger and the usage record
-- are written, in one transaction. Safe to repeat: a request that is already settled answers `duplicate`.
--
-- batch: [{request, organization, project, key, customer, model, pool, replica, endpoint, streamed, outcome, source,
--          status, prompt_tokens, cached_tokens, completion_tokens, unit, quantity, price_version, cost, purses, ttft_ms,
--          latency_ms, started_at, attempts, cache, slice, held, release}]; `purses` are those of the hold, in case it has
--          expired meanwhile.
-- A request that was held in a slice names it, with what was held of it there, and with how much the slice has to
-- release: what was charged, or all that was held if the slice is to end. Its own row may not have been written yet.
-- One row per item, in the order of the batch.
--   1. lock the wallets                      2. take the holds away
--   3. set apart what is settled already     4. one ledger transaction an organization, the usage records that name
--                                               it, the purses, and a notice for each mark that a budget passes
--   5. call back what is idle in slices of a purse that more was spent of than there was
CREATE OR REPLACE FUNCTION turnpike_settle(batch jsonb)
RETURNS TABLE (request uuid, verdict text, overage_nusd bigint, transaction_id uuid)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    requests uuid[];
    organizations uuid[];
    released billing_hold[];
    known uuid[] := '{}';
    known_bills uuid[] := '{}';
    expired uuid[] := '{}';
    slices uuid[];
    alive uuid[] := '{}';
    overdrawn uuid[];
    written integer;
BEGIN
    SELECT array_agg(i.request), array_agg(DISTINCT i.organization),
        array_agg(DISTINCT i.slice) FILTER (WHERE i.slice IS NOT NULL)
    INTO requests, organizations, slices
    FROM jsonb_to_recordset(batch) AS i(request uuid, organization uuid, slice uuid);
    IF turnpike_lock_wallets(organizations) <> cardinality(organizations) THEN
        RAISE EXCEPTION 'an organization of this batch has no wallet' USING ERRCODE = 'no_data_found';
    END IF;
    WITH gone AS (
        DELETE FROM billing_hold h
        WHERE h.request_id = ANY (requests) AND h.organization_id = ANY (organizations)
        RETURNING h.*
    )
    SELECT array_agg(gone::billing_hold) INTO released FROM gone;
    IF coalesce(cardinality(released), 0) < cardinality(requests) THEN
        SELECT coalesce(array_agg(u.request_id) FILTER (WHERE u.outcome <> 'expired'), '{}'),
            array_agg(u.transaction_id) FILTER (WHERE u.outcome <> 'expired'),
            coalesce(array_agg(u.request_id) FILTER (WHERE u.outcome = 'expired'), '{}')
        INTO known, known_bills, expired
        FROM billing_usagerecord u WHERE u.request_id = ANY (requests);
    END IF;
    IF slices IS NOT NULL THEN
        SELECT coalesce(array_agg(s.request_id), '{}') INTO alive
        FROM billing_hold s WHERE s.request_id = ANY (slices) AND s.organization_id = ANY (organizations);
    END IF;

    RETURN QUERY
    WITH given AS MATERIALIZED (
        SELECT b.position, i.*, k.bill AS known_bill,
            k.request IS NULL AND row_number() OVER (PARTITION BY i.request ORDER BY b.position) = 1 AS fresh
        FROM jsonb_array_elements(batch) WITH ORDINALITY AS b(fields, position), jsonb_to_record(b.fields) AS i(
                request uuid, organization uuid, project uuid, key uuid, customer text, model text, pool text,
                replica text, endpoint text, streamed boolean, outcome text, source text, status smallint,
                prompt_tokens bigint, cached_tokens bigint, completion_tokens bigint, unit text, quantity bigint,
                price_version integer,
                cost bigint, purses uuid[], ttft_ms integer, latency_ms integer, started_at timestamptz,
                attempts smallint, cache text, slice uuid, held bigint, release bigint)
            LEFT JOIN unnest(known, known_bills) AS k(request, bill) ON k.request = i.request
    ), item AS MATERIALIZED (
        SELECT i.*, coalesce(l.held, h.amount_nusd, 0) AS hold, coalesce(l.release, h.amount_nusd, 0) AS freed,
            l.slice IS NULL AND h.request_id IS NULL AS late,
            coalesce(h.purses, i.organization || array_remove(i.purses, i.organization)) AS all_purses
        FROM given i
            LEFT JOIN LATERAL (
                SELECT i.slice, i.held, i.release WHERE i.slice = ANY (alive) AND i.request <> ALL (expired)
            ) l ON true
            LEFT JOIN unnest(released) h ON h.request_id = i.request AND h.slice_id IS NULL
        WHERE i.fresh
    ), spent AS (
        UPDATE billing_hold s SET amount_nusd = s.amount_nusd - c.amount
        FROM (
            SELECT slice, sum(freed)::bigint AS amount FROM item WHERE slice IS NOT NULL AND NOT late GROUP BY slice
        ) c
        WHERE s.request_id = c.slice AND s.request_id = ANY (alive) AND c.amount <> 0
    ), moved AS (
        UPDATE billing_purse p
        SET held_nusd = p.held_nusd - c.held,
            posted_nusd = p.posted_nusd + CASE p.kind WHEN 'wallet' THEN -c.cost ELSE c.cost END
        FROM (
            SELECT purse, sum(item.freed)::bigint AS held, sum(item.cost)::bigint AS cost
            FROM item, unnest(item.all_purses) AS purse
            GROUP BY purse
        ) c
        -- The list is for the planner, as LIMIT and OFFSET are in 0003_hold.sql.
        WHERE p.id = c.purse AND p.id = ANY (ARRAY(SELECT unnest(item.all_purses) FROM item))
            AND (c.held <> 0 OR c.cost <> 0)
        RETURNING p.id, p.organization_id, p.posted_nusd, p.limit_nusd, p.soft_nusd
    ), noticed AS (
        INSERT INTO billing_budgetnotice (id, organization_id, purse_id, mode, percent, limit_nusd, spent_nusd, at)
        SELECT uuidv7(), m.organization_id, m.id, budget.mode, mark.percent, budget."limit", m.posted_nusd, now()
        FROM moved m, LATERAL (VALUES ('hard', m.limit_nusd), ('soft', m.soft_nusd)) AS budget(mode, "limit"),
            (VALUES (50), (80), (100)) AS mark(percent)
        WHERE m.posted_nusd > 0 AND m.posted_nusd::numeric * 100 >= budget."limit"::numeric * mark.percent
        ON CONFLICT (purse_id, mode, percent) DO NOTHING
    ), bill AS MATERIALIZED (
        SELECT uuidv7() AS id, organization, sum(least(cost, hold))::bigint AS usage,
            sum(greatest(cost - hold, 0))::bigint AS overage
        FROM item GROUP BY organization HAVING sum(cost) > 0
    ), posted AS (
        INSERT INTO billing_ledgertransaction (id, organization_id, kind, memo, actor, at)
        SELECT bill.id, bill.organization, 'usage', '', 'gateway', now() FROM bill
    ), entered AS (
        INSERT INTO billing_ledgerentry (transaction_id, organization_id, account, kind, amount_nusd)
        SELECT bill.id, bill.organization, line.account, line.kind, line.amount
        FROM bill, LATERAL (VALUES
            ('wallet', 'usage', -bill.usage), ('wallet', 'overage', -bill.overage),
            ('revenue', 'usage', bill.usage), ('revenue', 'overage', bill.overage)
        ) AS line(account, kind, amount)
        WHERE line.amount <> 0
    ), recorded AS (
        INSERT INTO billing_usagerecord AS u
            (request_id, organization_id, project_id, key_id, customer, model, pool, replica, endpoint, streamed,
             outcome, usage_source, status, prompt_tokens, cached_tokens, completion_tokens, unit, quantity,
             price_version, hold_nusd, cost_nusd, late, transaction_id, purses, ttft_ms, latency_ms, started_at, at,
             attempts, cache)
        SELECT i.request, i.organization, i.project, i.key, coalesce(i.customer, ''), i.model, i.pool, i.replica,
            i.endpoint, i.streamed, i.outcome, i.source, i.status, i.prompt_tokens, i.cached_tokens,
            i.completion_tokens, coalesce(i.unit, ''), coalesce(i.quantity, 0), i.price_version, i.hold, i.cost, i.late,
            CASE WHEN i.cost > 0 THEN bill.id END, i.all_purses, i.ttft_ms, i.latency_ms, i.started_at, now(),
            coalesce(i.attempts, 0), coalesce(i.cache, 'none')
        FROM item i LEFT JOIN bill ON bill.organization = i.organization
        -- The reaper's record of an expired hold gives way to the truth that came late.
        ON CONFLICT (request_id) DO UPDATE SET
            pool = EXCLUDED.pool, replica = EXCLUDED.replica, endpoint = EXCLUDED.endpoint,
            streamed = EXCLUDED.streamed, outcome = EXCLUDED.outcome, usage_source = EXCLUDED.usage_source,
            status = EXCLUDED.status, prompt_tokens = EXCLUDED.prompt_tokens, cached_tokens = EXCLUDED.cached_tokens,
            completion_tokens = EXCLUDED.completion_tokens,
            unit = EXCLUDED.unit, quantity = EXCLUDED.quantity, price_version = EXCLUDED.price_version,
            cost_nusd = EXCLUDED.cost_nusd, late = true, transaction_id = EXCLUDED.transaction_id,
            purses = EXCLUDED.purses,
            attempts = EXCLUDED.attempts, cache = EXCLUDED.cache,
            ttft_ms = EXCLUDED.ttft_ms, latency_ms = EXCLUDED.latency_ms, at = EXCLUDED.at
            WHERE u.outcome = 'expired'
        RETURNING u.request_id, u.transaction_id
    )
    SELECT i.request, CASE WHEN NOT i.fresh THEN 'duplicate' WHEN item.late THEN 'late' ELSE 'settled' END,
        CASE WHEN i.fresh THEN greatest(i.cost - item.hold, 0) ELSE 0 END,
        coalesce(i.known_bill, recorded.transaction_id)
    FROM given i
        LEFT JOIN item ON item.position = i.position
        LEFT JOIN recorded ON recorded.request_id = i.request
    WHERE recorded.request_id IS NOT NULL OR i.request = ANY (known)
    ORDER BY i.position;
    GET DIAGNOSTICS written = ROW_COUNT;
    IF written <> cardinality(requests) THEN
        RAISE EXCEPTION 'a request of this batch is another organization''s' USING ERRCODE = 'unique_violation';
    END IF;
    IF EXISTS (SELECT FROM billing_hold h WHERE h.organization_id = ANY (organizations) AND h.slice_id IS NOT NULL) THEN
        -- What cost more than was held for it has taken money that others hold: what of that is idle is wanted back.
        SELECT array_agg(p.id) INTO overdrawn FROM billing_purse p
        WHERE p.id = ANY (
                organizations || ARRAY(SELECT unnest(i.purses) FROM jsonb_to_recordset(batch) AS i(purses uuid[]))
            ) AND CASE p.kind
                WHEN 'wallet' THEN p.posted_nusd + p.credit_line_nusd ELSE p.limit_nusd - p.posted_nusd
            END < p.held_nusd;
        IF overdrawn IS NOT NULL THEN
            PERFORM turnpike_recall(organizations, overdrawn);
        END IF;
    END IF;
END $$;

-- Lets go of what was held; what was held in a slice stays there. Under THE LOCK.
CREATE OR REPLACE FUNCTION turnpike_release(released billing_hold[]) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
    UPDATE billing_purse p SET held_nusd = p.held_nusd - c.amount
    FROM (
        SELECT purse, sum(h.amount_nusd)::bigint AS amount
        FROM unnest(released) h, unnest(h.purses) AS purse
        WHERE h.slice_id IS NULL OR h.slice_id = h.request_id
        GROUP BY purse
    ) c
    WHERE p.id = c.purse AND p.id = ANY (ARRAY(SELECT unnest(h.purses) FROM unnest(released) h)) AND c.amount <> 0;
    RETURN coalesce(cardinality(released), 0);
END $$;

-- Gives holds back without a trace: for requests that were refused before they reached an engine. Not for slices.
CREATE OR REPLACE FUNCTION turnpike_void(requests uuid[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    held uuid[];
    organizations uuid[];
    released billing_hold[];
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    SELECT array_agg(h.request_id), array_agg(h.organization_id) INTO held, organizations
    FROM billing_hold h WHERE h.request_id = ANY (requests);
    PERFORM turnpike_lock_wallets(organizations);
    -- Only those: a hold that was taken meanwhile may be another organization's, whose wallet is not locked.
    WITH gone AS (
        DELETE FROM billing_hold h
        WHERE h.request_id = ANY (held) AND h.slice_id IS DISTINCT FROM h.request_id RETURNING h.*
    )
    SELECT array_agg(gone::billing_hold) INTO released FROM gone;
    RETURN turnpike_release(released);
END $$;

-- Keeps the holds of running requests alive. Answers with those that it reached.
-- It is the only one to touch holds without THE LOCK, and waits for nothing: it passes over what is being settled.
CREATE OR REPLACE FUNCTION turnpike_extend(requests uuid[], lease interval) RETURNS SETOF uuid
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    RETURN QUERY UPDATE billing_hold h SET expires_at = clock_timestamp() + lease
    WHERE h.request_id IN (
        SELECT e.request_id FROM billing_hold e WHERE e.request_id = ANY (requests) FOR UPDATE SKIP LOCKED
    )
    RETURNING h.request_id;
END $$;

-- Ends holds whose process died: the money is free again, and a record with outcome `expired` and no charge stays.
-- With a slice end the requests in it. A request that ends alone takes what it held out of its slice.
CREATE OR REPLACE FUNCTION turnpike_reap(most integer DEFAULT 1000) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    stale uuid[];
    organizations uuid[];
    released billing_hold[];
    followed billing_hold[];
BEGIN
    SELECT array_agg(s.request_id), array_agg(s.organization_id) INTO stale, organizations
    FROM (
        SELECT h.request_id, h.organization_id FROM billing_hold h
        WHERE h.expires_at < clock_timestamp() ORDER BY h.expires_at LIMIT most
    ) s;
    PERFORM turnpike_lock_wallets(organizations);
    WITH gone AS (
        DELETE FROM billing_hold h
        -- Asked once more: some may have been extended meanwhile.
        WHERE h.request_id = ANY (stale) AND h.expires_at < clock_timestamp()
        RETURNING h.*
    )
    SELECT array_agg(gone::billing_hold) INTO released FROM gone;
    PERFORM turnpike_shrink(jsonb_agg(jsonb_build_object('slice', h.slice_id, 'by', h.amount_nusd)))
    FROM unnest(released) h WHERE h.slice_id <> h.request_id;
    WITH gone AS (
        DELETE FROM billing_hold h
        -- Those of the organizations, for the planner: there is an index of what is held in their slices.
        WHERE h.organization_id = ANY (organizations) AND h.slice_id IS NOT NULL AND h.slice_id = ANY (ARRAY(
            SELECT s.request_id FROM unnest(released) s WHERE s.slice_id = s.request_id
        ))
        RETURNING h.*
    )
    SELECT array_agg(gone::billing_hold) INTO followed FROM gone;
    INSERT INTO billing_usagerecord
        (request_id, organization_id, project_id, key_id, customer, model, outcome, usage_source, hold_nusd,
         purses, started_at, at)
    SELECT h.request_id, h.organization_id, h.project_id, h.key_id, h.customer, h.model, 'expired', 'none',
        h.amount_nusd, h.purses, h.created_at, now()
    FROM unnest(released || followed) h WHERE h.slice_id IS DISTINCT FROM h.request_id
    ON CONFLICT (request_id) DO NOTHING;
    RETURN turnpike_release(released);
END $$;

-- Moves money between a wallet and another account, once per (kind, reference). Answers with the transaction's id,
-- and whether it is new.
CREATE OR REPLACE FUNCTION turnpike_post(
    organization uuid, kind text, reference text, amount bigint, counter_account text, memo text, actor text,
    OUT id uuid, OUT posted boolean
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    owner uuid;
BEGIN
    IF turnpike_lock_wallets(ARRAY[organization]) = 0 THEN
        RAISE EXCEPTION 'organization % has no wallet', organization USING ERRCODE = 'no_data_found';
    END IF;
    INSERT INTO billing_ledgertransaction AS t (id, organization_id, kind, reference, memo, actor, at)
    VALUES (uuidv7(), turnpike_post.organization, turnpike_post.kind, turnpike_post.reference, turnpike_post.memo,
        turnpike_post.actor, now())
    ON CONFLICT (kind, reference) WHERE reference IS NOT NULL DO NOTHING
    RETURNING t.id INTO turnpike_post.id;
    posted := turnpike_post.id IS NOT NULL;
    IF NOT posted THEN
        SELECT t.id, t.organization_id INTO STRICT turnpike_post.id, owner FROM billing_ledgertransaction t
        WHERE t.kind = turnpike_post.kind AND t.reference = turnpike_post.reference;
        IF owner <> turnpike_post.organization THEN
            RAISE EXCEPTION 'this % was posted for another organization', kind USING ERRCODE = 'unique_violation';
        END IF;
        RETURN;
    END IF;
    UPDATE billing_purse p SET posted_nusd = p.posted_nusd + turnpike_post.amount
    WHERE p.id = turnpike_post.organization;
    IF turnpike_post.amount < 0 THEN
        PERFORM turnpike_recall(ARRAY[turnpike_post.organization], ARRAY[turnpike_post.organization]);
    END IF;
    INSERT INTO billing_ledgerentry (transaction_id, organization_id, account, kind, amount_nusd)
    SELECT turnpike_post.id, turnpike_post.organization, line.account, turnpike_post.kind, line.amount
    FROM (VALUES ('wallet', turnpike_post.amount), (turnpike_post.counter_account, -turnpike_post.amount))
        AS line(account, amount);
END $$;

-- Opens the wallet of an organization, once.
CREATE OR REPLACE FUNCTION turnpike_open_wallet(organization uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO billing_purse (id, organization_id, kind, "window", posted_nusd, held_nusd, credit_line_nusd)
    VALUES (organization, organization, 'wallet', '', 0, 0, 0)
    ON CONFLICT (id) DO NOTHING
$$;

-- How far below zero a wallet may go: postpaid.
CREATE OR REPLACE FUNCTION turnpike_set_credit_line(organization uuid, amount bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE billing_purse SET credit_line_nusd = amount WHERE id = organization AND kind = 'wallet';
    PERFORM turnpike_recall(ARRAY[organization], ARRAY[organization]);
END $$;
