-- Slices (docs/decisions/0011-slices.md). A slice is a hold that one process took in advance, from all purses of a kind of
-- request at once, to hold requests in it from memory. Its row names itself in `slice_id`. The rows of requests that are
-- held in it name it, and are not counted in any purse: their money is the slice's. What no request holds is idle.

-- What of a purse lies idle in slices.
CREATE OR REPLACE FUNCTION turnpike_idle(organization uuid, purse uuid) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(CASE WHEN h.slice_id = h.request_id THEN h.amount_nusd ELSE -h.amount_nusd END), 0)::bigint
    FROM billing_hold h
    WHERE h.organization_id = organization AND h.slice_id IS NOT NULL AND purse = ANY (h.purses)
$$;

-- Asks the processes to give back what is idle in the slices of these purses. They look for it several times a second.
CREATE OR REPLACE FUNCTION turnpike_recall(organizations uuid[], short uuid[]) RETURNS void LANGUAGE sql AS $$
    UPDATE billing_hold h SET recalled = true
    WHERE h.organization_id = ANY (organizations) AND h.slice_id IS NOT NULL AND h.slice_id = h.request_id
        AND h.purses && short AND NOT h.recalled
$$;

-- Writes down requests that a process has held in its slices, for all to see. No money moves. Answers with how many.
-- A request that has ended meanwhile, or whose slice has, is passed over.
--
-- batch: [{request, slice, organization, project, key, model, customer, amount}]
CREATE OR REPLACE FUNCTION turnpike_enter(batch jsonb, lease interval) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    entered integer;
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    PERFORM turnpike_lock_wallets(ARRAY(SELECT i.organization FROM jsonb_to_recordset(batch) AS i(organization uuid)));
    INSERT INTO billing_hold (request_id, organization_id, project_id, key_id, model, customer, purses, amount_nusd,
        expires_at, created_at, slice_id, recalled)
    SELECT i.request, s.organization_id, i.project, i.key, i.model, coalesce(i.customer, ''), s.purses, i.amount,
        clock_timestamp() + lease, clock_timestamp(), s.request_id, false
    FROM jsonb_to_recordset(batch) AS i(request uuid, slice uuid, organization uuid, project uuid, key uuid,
            model text, customer text, amount bigint)
        JOIN LATERAL (
            SELECT * FROM billing_hold s
            WHERE s.request_id = i.slice AND s.slice_id = s.request_id AND s.organization_id = i.organization LIMIT 1
        ) s ON true
    WHERE NOT EXISTS (SELECT FROM billing_usagerecord u WHERE u.request_id = i.request OFFSET 0)
    ON CONFLICT (request_id) DO NOTHING;
    GET DIAGNOSTICS entered = ROW_COUNT;
    RETURN entered;
END $$;

-- Keeps slices alive. Unlike a request's hold, a slice is settled from all the time: this waits for its turn.
CREATE OR REPLACE FUNCTION turnpike_renew(slices uuid[], lease interval) RETURNS SETOF uuid
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    PERFORM turnpike_lock_wallets(
        ARRAY(SELECT s.organization_id FROM billing_hold s WHERE s.request_id = ANY (slices))
    );
    RETURN QUERY UPDATE billing_hold s SET expires_at = clock_timestamp() + lease
    WHERE s.request_id = ANY (slices) AND s.slice_id = s.request_id
    RETURNING s.request_id;
END $$;

-- Gives back parts of slices. One that is empty and `over` is gone.
--
-- batch: [{slice, by, over}]; NULL is an empty one.
CREATE OR REPLACE FUNCTION turnpike_shrink(batch jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    slices uuid[];
BEGIN
    IF batch IS NULL THEN
        RETURN;
    END IF;
    PERFORM set_config('synchronous_commit', 'off', true);
    slices := ARRAY(SELECT i.slice FROM jsonb_to_recordset(batch) AS i(slice uuid));
    PERFORM turnpike_lock_wallets(
        ARRAY(SELECT s.organization_id FROM billing_hold s WHERE s.request_id = ANY (slices))
    );
    WITH part AS (
        SELECT i.slice, sum(i.by)::bigint AS amount FROM jsonb_to_recordset(batch) AS i(slice uuid, by bigint)
        GROUP BY i.slice
    ), shrunk AS (
        UPDATE billing_hold s SET amount_nusd = s.amount_nusd - part.amount
        -- The lists are for the planner, as in 0003_settle.sql.
        FROM part WHERE s.request_id = part.slice AND s.request_id = ANY (slices) AND s.slice_id = s.request_id
        RETURNING s.purses, part.amount
    )
    UPDATE billing_purse p SET held_nusd = p.held_nusd - c.amount
    FROM (SELECT purse, sum(shrunk.amount)::bigint AS amount FROM shrunk, unnest(shrunk.purses) AS purse GROUP BY purse) c
    WHERE p.id = c.purse AND p.id = ANY (ARRAY(SELECT unnest(shrunk.purses) FROM shrunk)) AND c.amount <> 0;
    DELETE FROM billing_hold s
    WHERE s.request_id = ANY (
            ARRAY(SELECT i.slice FROM jsonb_to_recordset(batch) AS i(slice uuid, over boolean) WHERE i.over)
        ) AND s.slice_id = s.request_id AND s.amount_nusd = 0;
END $$;

-- An auditor sees requests, and what is idle in slices in rows of its own: the sum is what is held.
CREATE OR REPLACE VIEW audit_hold AS
SELECT turnpike_public_id('req', h.request_id) AS request_id,
    CASE
        WHEN h.slice_id = h.request_id THEN 'slice'
        WHEN h.expires_at < clock_timestamp() THEN 'expired'
        ELSE 'held'
    END AS state,
    (h.amount_nusd - CASE WHEN h.slice_id = h.request_id THEN coalesce((
        SELECT sum(m.amount_nusd) FROM billing_hold m WHERE m.slice_id = h.request_id AND m.request_id <> h.request_id
    ), 0) ELSE 0 END)::bigint AS amount_nusd,
    h.expires_at
FROM billing_hold h OFFSET 0;
