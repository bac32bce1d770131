-- The window of a budget that contains an instant, as two instants, computed in the organization's time zone.
-- Postgres resolves local midnights that do not exist or exist twice, so days of 23 and 25 hours come out right.
-- `5h` rolls from the first use: the caller keeps a window that is still open, this only says how long a new one is.
CREATE FUNCTION turnpike_window(kind text, at timestamptz, zone text, OUT starts timestamptz, OUT ends timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT
        CASE kind
            WHEN '5h' THEN at
            WHEN 'lifetime' THEN '1970-01-01 00:00:00+00'::timestamptz
            ELSE date_trunc(kind, at AT TIME ZONE zone) AT TIME ZONE zone
        END,
        CASE kind
            WHEN '5h' THEN at + interval '5 hours'
            WHEN 'lifetime' THEN '9999-12-31 00:00:00+00'::timestamptz
            ELSE (date_trunc(kind, at AT TIME ZONE zone) + ('1 ' || kind)::interval) AT TIME ZONE zone
        END
$$;

-- Opens the purse of every budget window that a batch needs and that is not there yet.
-- The advisory lock makes two processes that both see "no window yet" agree on one; ids in order, so no deadlock.
CREATE FUNCTION turnpike_open_windows(batch jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    missing record;
BEGIN
    FOR missing IN
        SELECT DISTINCT ON (cap.budget, cap."window") cap.budget, cap."window", item.organization, item.zone
        FROM jsonb_to_recordset(batch) AS item(organization uuid, zone text, caps jsonb),
            jsonb_to_recordset(item.caps) AS cap(budget uuid, "window" text)
        WHERE NOT EXISTS (
            SELECT FROM billing_purse p
            WHERE p.budget_id = cap.budget AND p."window" = cap."window" AND p.starts_at <= now() AND p.ends_at > now()
        )
        ORDER BY cap.budget, cap."window"
    LOOP
        PERFORM pg_advisory_xact_lock(hashtextextended(missing.budget::text, 0));
        INSERT INTO billing_purse
            (id, organization_id, kind, budget_id, "window", starts_at, ends_at,
             posted_nusd, held_nusd, credit_line_nusd)
        SELECT uuidv7(), missing.organization, 'budget', missing.budget, missing."window", w.starts, w.ends, 0, 0, 0
        FROM turnpike_window(missing."window", now(), missing.zone) w
        WHERE NOT EXISTS (
            SELECT FROM billing_purse p
            WHERE p.budget_id = missing.budget AND p."window" = missing."window"
                AND p.starts_at <= now() AND p.ends_at > now()
        )
        -- The zone moved west of a window that had ended: it goes on.
        ON CONFLICT (budget_id, "window", starts_at) DO UPDATE SET ends_at = EXCLUDED.ends_at;
    END LOOP;
END $$;

-- Takes the worst case of each request from its wallet and from each budget window that applies: all or nothing.
--
-- batch: [{request, organization, project, key, model, customer, amount, zone, caps: [{budget, "limit", "window"}]}]
-- One row per item. Held: `purses`. Refused: `refused_by` (a purse id; the organization's own if it has no wallet),
-- what that purse had room for, what of it was held, and when its window ends.
--   1. open the budget windows          2. lock every purse, in the order of ids
--   3. decide item by item in memory    4. write all purses and all holds at once
-- A hold needs no fsync: if Postgres crashes, the holds of the last moments and their purses vanish together.
CREATE FUNCTION turnpike_hold(batch jsonb, lease interval)
RETURNS TABLE (
    request uuid, purses uuid[], refused_by uuid, budget uuid,
    limit_nusd bigint, room_nusd bigint, held_nusd bigint, ends_at timestamptz
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    ids uuid[];
    rooms bigint[];
    helds bigint[];
    ends timestamptz[];
    taken bigint[];
    item record;
    spot integer;
    room bigint;
    refusal integer;
    accepted uuid[] := '{}';
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    IF batch @? '$[*].caps[*]' THEN
        PERFORM turnpike_open_windows(batch);
    END IF;
    SELECT array_agg(p.id), array_agg(p.room), array_agg(p.held_nusd), array_agg(p.ends_at), array_agg(0::bigint)
    INTO ids, rooms, helds, ends, taken
    FROM (
        SELECT p.id, p.held_nusd, p.ends_at,
            CASE p.kind WHEN 'wallet' THEN p.posted_nusd + p.credit_line_nusd ELSE -p.posted_nusd END
                - p.held_nusd AS room
        FROM billing_purse p
        WHERE p.id = ANY (ARRAY(
            SELECT i.organization FROM jsonb_to_recordset(batch) AS i(organization uuid)
            UNION
            SELECT w.id
            FROM jsonb_to_recordset(batch) AS i(caps jsonb), jsonb_to_recordset(i.caps) AS c(budget uuid, "window" text)
                JOIN billing_purse w ON w.budget_id = c.budget AND w."window" = c."window"
                    AND w.starts_at <= now() AND w.ends_at > now()
        ))
        ORDER BY p.id
        FOR UPDATE OF p
    ) p;

    FOR item IN
        SELECT i.request, i.amount, need.purses, need.budgets, need.limits
        FROM ROWS FROM (jsonb_to_recordset(batch) AS (request uuid, organization uuid, amount bigint, caps jsonb))
                WITH ORDINALITY AS i(request, organization, amount, caps, position),
            LATERAL (
                SELECT array_agg(n.id) AS purses, array_agg(n.budget) AS budgets, array_agg(n."limit") AS limits
                FROM (
                    SELECT i.organization AS id, NULL::uuid AS budget, NULL::bigint AS "limit"
                    UNION ALL
                    SELECT w.id, c.budget, c."limit"
                    FROM jsonb_to_recordset(i.caps) AS c(budget uuid, "limit" bigint, "window" text)
                        JOIN billing_purse w ON w.budget_id = c.budget AND w."window" = c."window"
                            AND w.starts_at <= now() AND w.ends_at > now()
                ) n
            ) need
        ORDER BY i.position
    LOOP
        refusal := NULL;
        FOR i IN 1 .. cardinality(item.purses) LOOP
            spot := array_position(ids, item.purses[i]);
            room := rooms[spot] + coalesce(item.limits[i], 0);
            IF spot IS NULL OR item.limits[i] = 0 OR (item.amount > 0 AND room < item.amount) THEN
                refusal := i;
                EXIT;
            END IF;
        END LOOP;
        IF refusal IS NULL THEN
            FOR i IN 1 .. cardinality(item.purses) LOOP
                spot := array_position(ids, item.purses[i]);
                rooms[spot] := rooms[spot] - item.amount;
                taken[spot] := taken[spot] + item.amount;
            END LOOP;
            accepted := accepted || item.request;
            RETURN QUERY SELECT item.request, item.purses, NULL::uuid, NULL::uuid,
                NULL::bigint, NULL::bigint, NULL::bigint, NULL::timestamptz;
        ELSE
            RETURN QUERY SELECT item.request, NULL::uuid[], item.purses[refusal], item.budgets[refusal],
                item.limits[refusal], room, helds[spot] + taken[spot], ends[spot];
        END IF;
    END LOOP;

    UPDATE billing_purse p SET held_nusd = p.held_nusd + t.amount
    FROM unnest(ids, taken) AS t(id, amount)
    WHERE p.id = t.id AND t.amount > 0;
    INSERT INTO billing_hold
        (request_id, organization_id, project_id, key_id, model, customer, purses, amount_nusd, expires_at, created_at)
    SELECT i.request, i.organization, i.project, i.key, i.model, coalesce(i.customer, ''),
        i.organization || ARRAY(
            SELECT w.id
            FROM jsonb_to_recordset(i.caps) AS c(budget uuid, "window" text)
                JOIN billing_purse w ON w.budget_id = c.budget AND w."window" = c."window"
                    AND w.starts_at <= now() AND w.ends_at > now()
        ),
        i.amount, clock_timestamp() + lease, now()
    FROM jsonb_to_recordset(batch) AS i(
        request uuid, organization uuid, project uuid, key uuid, model text, customer text, amount bigint, caps jsonb)
    WHERE i.request = ANY (accepted);
END $$;
