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

-- When the billing period begins in the month of a local time: on the day of the month of the anchor, or on the last
-- day of a month that is too short for it.
CREATE FUNCTION turnpike_billing_day(month timestamp, anchor_day integer) RETURNS timestamp LANGUAGE sql IMMUTABLE AS $$
    SELECT least(
        date_trunc('month', month) + make_interval(days => anchor_day - 1),
        date_trunc('month', month) + interval '1 month' - interval '1 day'
    )
$$;

-- The window of a budget that contains an instant, billing periods included: those run from the day of the month on
-- which the organization was created, in its time zone, to that day of the next month. Instants are compared, not
-- local times, so the hour that a zone has twice belongs to one period only.
CREATE FUNCTION turnpike_window(
    kind text, at timestamptz, zone text, anchor timestamptz, OUT starts timestamptz, OUT ends timestamptz
) LANGUAGE plpgsql STABLE AS $$
DECLARE
    anchor_day integer := extract(day FROM anchor AT TIME ZONE zone);
    month timestamp := date_trunc('month', at AT TIME ZONE zone);
BEGIN
    IF kind <> 'billing_period' THEN
        SELECT w.starts, w.ends INTO starts, ends FROM turnpike_window(kind, at, zone) w;
        RETURN;
    END IF;
    IF turnpike_billing_day(month, anchor_day) AT TIME ZONE zone > at THEN
        month := month - interval '1 month';
    END IF;
    starts := turnpike_billing_day(month, anchor_day) AT TIME ZONE zone;
    ends := turnpike_billing_day(month + interval '1 month', anchor_day) AT TIME ZONE zone;
END $$;

-- The window of a budget that began last. Windows of one budget never overlap: if this one is over, none is open.
CREATE FUNCTION turnpike_last_window(budget uuid, length text, at timestamptz) RETURNS SETOF billing_purse
LANGUAGE sql STABLE ROWS 1 AS $$
    SELECT p.* FROM billing_purse p
    WHERE p.budget_id = budget AND p."window" = length AND p.starts_at <= at
    ORDER BY p.starts_at DESC LIMIT 1
$$;

-- THE LOCK. Whoever moves an organization's money locks its wallet first; several wallets in the order of their ids.
-- Its budget windows, holds and records then belong to one transaction at a time. So nobody ever waits for anything
-- but wallets: no deadlock, and no race between a look and a write.
CREATE FUNCTION turnpike_lock_wallets(organizations uuid[]) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    found integer;
BEGIN
    PERFORM FROM billing_purse p WHERE p.id = ANY (organizations) ORDER BY p.id FOR NO KEY UPDATE;
    GET DIAGNOSTICS found = ROW_COUNT;
    RETURN found;
END $$;

-- Opens the purse of every budget window that a batch needs at an instant and that is not there yet. Under THE LOCK.
-- Should the organization's time zone have moved, a window starts no earlier than the one before it ended.
CREATE FUNCTION turnpike_open_windows(batch jsonb, at timestamptz) RETURNS void LANGUAGE sql AS $$
    INSERT INTO billing_purse
        (id, organization_id, kind, budget_id, "window", starts_at, ends_at, posted_nusd, held_nusd, credit_line_nusd)
    SELECT uuidv7(), missing.organization, 'budget', missing.budget, missing."window",
        greatest(w.starts, missing.ended_at), w.ends, 0, 0, 0
    FROM (
        SELECT DISTINCT ON (cap.budget, cap."window") item.organization, cap.budget, cap."window", item.zone,
            last.ends_at AS ended_at
        FROM jsonb_to_recordset(batch) AS item(organization uuid, zone text, caps jsonb)
            JOIN billing_purse wallet ON wallet.id = item.organization,
            jsonb_to_recordset(item.caps) AS cap(budget uuid, "window" text)
                LEFT JOIN LATERAL turnpike_last_window(cap.budget, cap."window", at) last ON true
        WHERE last.ends_at > at IS NOT TRUE
    ) missing JOIN tenants_organization o ON o.id = missing.organization,
        LATERAL turnpike_window(missing."window", at, missing.zone, o.created_at) w
$$;

-- What a batch asks for, line by line gathered into one row for each item: its purses, the wallet first, with the room
-- in each. `spots` number the purses of the whole batch from 1. Under THE LOCK, with all windows open.
CREATE FUNCTION turnpike_asked(batch jsonb, at timestamptz) RETURNS TABLE (
    request uuid, organization uuid, project uuid, key uuid, model text, customer text, amount bigint, slice boolean,
    held_by uuid[], settled boolean,
    spots bigint[], purses uuid[], budgets uuid[], limits bigint[], rooms bigint[], helds bigint[], ends timestamptz[]
) LANGUAGE sql STABLE AS $$
    WITH item AS MATERIALIZED (
        SELECT b.position, i.*
        FROM jsonb_array_elements(batch) WITH ORDINALITY AS b(fields, position), jsonb_to_record(b.fields) AS i(
            request uuid, organization uuid, project uuid, key uuid, model text, customer text, amount bigint,
            slice boolean, caps jsonb)
    ), line AS (
        SELECT i.position, 0 AS place, i.organization AS purse, NULL::uuid AS budget, NULL::bigint AS "limit",
            p.posted_nusd + p.credit_line_nusd - p.held_nusd AS room, p.held_nusd, p.ends_at
        FROM item i LEFT JOIN billing_purse p ON p.id = i.organization
        UNION ALL
        SELECT i.position, c.place, w.id, c.budget, c."limit",
            c."limit" - w.posted_nusd - w.held_nusd, w.held_nusd, w.ends_at
        FROM item i,
            ROWS FROM (jsonb_to_recordset(i.caps) AS (budget uuid, "limit" bigint, "window" text))
                WITH ORDINALITY AS c(budget, "limit", "window", place),
            turnpike_last_window(c.budget, c."window", at) w
    ), need AS (
        SELECT l.position, array_agg(l.spot ORDER BY place) AS spots, array_agg(l.purse ORDER BY place) AS purses,
            array_agg(l.budget ORDER BY place) AS budgets, array_agg(l."limit" ORDER BY place) AS limits,
            array_agg(l.room ORDER BY place) AS rooms, array_agg(l.held_nusd ORDER BY place) AS helds,
            array_agg(l.ends_at ORDER BY place) AS ends
        FROM (SELECT *, dense_rank() OVER (ORDER BY purse) AS spot FROM line) l
        GROUP BY l.position
    )
    SELECT i.request, i.organization, i.project, i.key, i.model, coalesce(i.customer, ''), i.amount,
        coalesce(i.slice, false), h.purses, EXISTS (SELECT FROM billing_usagerecord u WHERE u.request_id = i.request),
        n.spots, n.purses, n.budgets, n.limits, n.rooms, n.helds, n.ends
    FROM item i
        JOIN need n ON n.position = i.position
        LEFT JOIN billing_hold h ON h.request_id = i.request AND h.organization_id = i.organization
    ORDER BY i.position
$$;

-- Takes the worst case of each request from its wallet and from each budget window that applies: all or nothing.
--
-- batch: [{request, organization, project, key, model, customer, amount, slice, zone,
--          caps: [{budget, "limit", "window"}]}]; with `slice` the amount is for requests to come (0007_slices.sql).
-- One row per item, in the order of the batch.
--   Held: `purses`, what is left in the scarcest of them, and when the first of their windows ends. Asking again while
--   it is held takes nothing more.
--   Refused: `refused_by` (a purse id; the organization's own if it has no wallet), what that purse had room for,
--   what of it was held, what of that lies idle in slices, which are called back by this, and when its window ends.
--   Neither: the request was settled or has expired. It must not run again.
-- Steps:
--   1. lock the wallets                  2. open the budget windows
--   3. decide item by item in memory     4. write all purses and all holds at once
-- A hold needs no fsync: if Postgres crashes, the holds of the last moments and their purses vanish together.
-- Everything is reached by key, and says so: the statistics of tables that empty themselves all the time mislead.
CREATE FUNCTION turnpike_hold(batch jsonb, lease interval)
RETURNS TABLE (
    request uuid, purses uuid[], refused_by uuid, budget uuid,
    limit_nusd bigint, room_nusd bigint, held_nusd bigint, idle_nusd bigint, ends_at timestamptz
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    at timestamptz;
    item record;
    room bigint;
    scarcest bigint;
    ending timestamptz;
    refusal integer;
    short uuid[] := '{}';
    ids uuid[] := '{}';
    taken bigint[] := '{}';
    hold billing_hold;
    holds billing_hold[] := '{}';
    accepted uuid[] := '{}';
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    PERFORM turnpike_lock_wallets(ARRAY(SELECT i.organization FROM jsonb_to_recordset(batch) AS i(organization uuid)));
    at := clock_timestamp();
    IF batch @? '$[*].caps[*]' THEN
        PERFORM turnpike_open_windows(batch, at);
    END IF;

    FOR item IN SELECT * FROM turnpike_asked(batch, at) LOOP
        request := item.request;
        purses := item.held_by;
        refusal := NULL;
        scarcest := NULL;
        ending := NULL;
        idle_nusd := NULL;
        IF item.request = ANY (accepted) THEN
            purses := item.purses;
        ELSIF purses IS NULL AND NOT item.settled THEN
            FOR i IN 1 .. cardinality(item.spots) LOOP
                room := item.rooms[i] - coalesce(taken[item.spots[i]], 0);
                IF room IS NULL OR item.limits[i] = 0 OR (item.amount > 0 AND room < item.amount) THEN
                    refusal := i;
                    EXIT;
                END IF;
                scarcest := least(scarcest, room - item.amount);
                ending := least(ending, item.ends[i]);
            END LOOP;
            IF refusal IS NULL THEN
                FOR i IN 1 .. cardinality(item.spots) LOOP
                    ids[item.spots[i]] := item.purses[i];
                    taken[item.spots[i]] := coalesce(taken[item.spots[i]], 0) + item.amount;
                END LOOP;
                purses := item.purses;
                accepted := accepted || item.request;
                hold.request_id := item.request;
                hold.organization_id := item.organization;
                hold.project_id := item.project;
                hold.key_id := item.key;
                hold.model := item.model;
                hold.customer := item.customer;
                hold.purses := item.purses;
                hold.amount_nusd := item.amount;
                hold.expires_at := at + lease;
                hold.created_at := at;
                hold.slice_id := CASE WHEN item.slice THEN item.request END;
                hold.recalled := false;
                holds := holds || hold;
            ELSIF NOT item.slice THEN
                idle_nusd := turnpike_idle(item.organization, item.purses[refusal]);
                IF idle_nusd > 0 THEN
                    short := short || item.purses[refusal];
                END IF;
            END IF;
        END IF;
        -- An index of NULL makes these NULL.
        refused_by := item.purses[refusal];
        budget := item.budgets[refusal];
        limit_nusd := item.limits[refusal];
        room_nusd := coalesce(item.rooms[refusal] - coalesce(taken[item.spots[refusal]], 0), scarcest);
        held_nusd := item.helds[refusal] + coalesce(taken[item.spots[refusal]], 0);
        ends_at := coalesce(item.ends[refusal], ending);
        RETURN NEXT;
    END LOOP;

    UPDATE billing_purse p SET held_nusd = p.held_nusd + t.amount
    FROM unnest(ids, taken) AS t(id, amount)
    WHERE p.id = t.id AND t.amount > 0;
    INSERT INTO billing_hold SELECT h.* FROM unnest(holds) h;
    IF cardinality(short) > 0 THEN
        PERFORM turnpike_recall(ARRAY(SELECT i.organization FROM jsonb_to_recordset(batch) AS i(organization uuid)), short);
    END IF;
END $$;
