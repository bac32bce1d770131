-- The window of a budget that contains an instant, as two instants, computed in the organization's time zone.
-- Postgres resolves local midnights that do not exist or exist twice, so days of 23 and 25 hours come out right.
-- `5h` rolls from the first use: the caller keeps a window that is still open, this only says how long a new one is.
-- Where the clock goes back over midnight, the hour that there is twice belongs to the day that ends: its second midnight
-- begins the next one. So instants are compared, and a window never starts after the instant that it is to contain.
CREATE OR REPLACE FUNCTION turnpike_window(kind text, at timestamptz, zone text, OUT starts timestamptz, OUT ends timestamptz)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    local timestamp;
BEGIN
    IF kind = '5h' THEN
        starts := at;
        ends := at + interval '5 hours';
    ELSIF kind = 'lifetime' THEN
        starts := '1970-01-01 00:00:00+00';
        ends := '9999-12-31 00:00:00+00';
    ELSE
        local := date_trunc(kind, at AT TIME ZONE zone);
        IF local AT TIME ZONE zone > at THEN
            local := local - ('1 ' || kind)::interval;
        END IF;
        starts := local AT TIME ZONE zone;
        ends := (local + ('1 ' || kind)::interval) AT TIME ZONE zone;
    END IF;
END $$;

-- When the billing period begins in the month of a local time: on the day of the month of the anchor, or on the last
-- day of a month that is too short for it.
CREATE OR REPLACE FUNCTION turnpike_billing_day(month timestamp, anchor_day integer) RETURNS timestamp LANGUAGE sql IMMUTABLE AS $$
    SELECT least(
        date_trunc('month', month) + make_interval(days => anchor_day - 1),
        date_trunc('month', month) + interval '1 month' - interval '1 day'
    )
$$;

-- The window of a budget that contains an instant, billing periods included: those run from the day of the month on
-- which the organization was created, in its time zone, to that day of the next month. Instants are compared, not
-- local times, so the hour that a zone has twice belongs to one period only.
CREATE OR REPLACE FUNCTION turnpike_window(
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
CREATE OR REPLACE FUNCTION turnpike_last_window(budget uuid, length text, at timestamptz) RETURNS SETOF billing_purse
LANGUAGE sql STABLE ROWS 1 AS $$
    SELECT p.* FROM billing_purse p
    WHERE p.budget_id = budget AND p."window" = length AND p.starts_at <= at
    ORDER BY p.starts_at DESC LIMIT 1
$$;

-- THE LOCK. Whoever moves an organization's money locks its wallet first; several wallets in the order of their ids.
-- Its budget windows, holds and records then belong to one transaction at a time. So nobody ever waits for anything
-- but wallets: no deadlock, and no race between a look and a write.
CREATE OR REPLACE FUNCTION turnpike_lock_wallets(organizations uuid[]) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    found integer;
BEGIN
    PERFORM FROM billing_purse p WHERE p.id = ANY (organizations) ORDER BY p.id FOR NO KEY UPDATE;
    GET DIAGNOSTICS found = ROW_COUNT;
    RETURN found;
END $$;

-- What may be spent in a window: the tighter of a limit that carries nothing over, and of one that does, to which what
-- was left over is added. That is at most the limit once more, so it never grows without end, and 0 still blocks.
CREATE OR REPLACE FUNCTION turnpike_limit(plain bigint, carrying bigint, carried bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT least(plain, carrying + least(carrying, carried))
$$;

-- Opens the purse of every budget window that a batch needs at an instant and that is not there yet, and notes in those
-- that are what the limits are now. Under THE LOCK.
-- Should the organization's time zone have moved, a window starts no earlier than the one before it ended.
-- Carried over is what the window before had left and no request in flight may still use; all of its limit, if a whole
-- window passed without any use. A window has one such number: that of its hard budget, if that carries over.
CREATE OR REPLACE FUNCTION turnpike_open_windows(batch jsonb, at timestamptz) RETURNS void LANGUAGE sql AS $$
    WITH asked AS MATERIALIZED (
        SELECT DISTINCT ON (cap.budget, cap."window") item.organization, item.zone, cap.*,
            coalesce(cap.carrying, cap.soft_carrying, cap.shadow_carrying) AS carried_of,
            last.id AS last, last.ends_at AS ended_at, last.ends_at > at IS TRUE AS is_open,
            last.carrying_nusd AS all_of_last,
            greatest(turnpike_limit(NULL, last.carrying_nusd, last.carried_nusd) - last.posted_nusd - last.held_nusd, 0)
                AS left_of_last
        FROM jsonb_to_recordset(batch) AS item(organization uuid, zone text, caps jsonb)
            JOIN LATERAL (SELECT FROM billing_purse w WHERE w.id = item.organization LIMIT 1) wallet ON true,
            jsonb_to_recordset(item.caps) AS cap(budget uuid, "window" text, scope text, label text,
                    "limit" bigint, carrying bigint, soft bigint, soft_carrying bigint,
                    shadow bigint, shadow_carrying bigint)
                LEFT JOIN LATERAL turnpike_last_window(cap.budget, cap."window", at) last ON true
        WHERE last.ends_at > at IS NOT TRUE
            OR (last.limit_nusd, last.soft_nusd, last.shadow_nusd, last.carrying_nusd) IS DISTINCT FROM (
                turnpike_limit(cap."limit", cap.carrying, last.carried_nusd),
                turnpike_limit(cap.soft, cap.soft_carrying, last.carried_nusd),
                turnpike_limit(cap.shadow, cap.shadow_carrying, last.carried_nusd),
                coalesce(cap.carrying, cap.soft_carrying, cap.shadow_carrying))
    ), changed AS (
        UPDATE billing_purse p SET
            limit_nusd = turnpike_limit(a."limit", a.carrying, p.carried_nusd),
            soft_nusd = turnpike_limit(a.soft, a.soft_carrying, p.carried_nusd),
            shadow_nusd = turnpike_limit(a.shadow, a.shadow_carrying, p.carried_nusd),
            carrying_nusd = a.carried_of
        FROM asked a WHERE p.id = a.last AND a.is_open AND p.id = ANY (ARRAY(SELECT last FROM asked WHERE is_open))
    ), opening AS (
        SELECT a.*, greatest(w.starts, a.ended_at) AS starts, w.ends,
            CASE
                WHEN a.carried_of IS NULL OR a.all_of_last IS NULL THEN 0
                WHEN a."window" <> '5h' AND a.ended_at <= (
                    SELECT before.starts
                    FROM turnpike_window(a."window", w.starts - interval '1 microsecond', a.zone, o.created_at) before
                ) THEN least(a.carried_of, a.all_of_last)
                ELSE least(a.carried_of, a.left_of_last)
            END AS carried
        FROM asked a
            JOIN LATERAL (SELECT o.created_at FROM tenants_organization o WHERE o.id = a.organization LIMIT 1) o ON true,
            LATERAL turnpike_window(a."window", at, a.zone, o.created_at) w
        WHERE NOT a.is_open
    )
    INSERT INTO billing_purse
        (id, organization_id, kind, budget_id, "window", starts_at, ends_at, posted_nusd, held_nusd, credit_line_nusd,
         scope, label, limit_nusd, soft_nusd, shadow_nusd, carrying_nusd, carried_nusd)
    SELECT uuidv7(), o.organization, 'budget', o.budget, o."window", o.starts, o.ends, 0, 0, 0,
        coalesce(o.scope, ''), coalesce(o.label, ''),
        turnpike_limit(o."limit", o.carrying, o.carried), turnpike_limit(o.soft, o.soft_carrying, o.carried),
        turnpike_limit(o.shadow, o.shadow_carrying, o.carried), o.carried_of, o.carried
    FROM opening o
$$;

-- Whatever is looked up for an item of a batch is reached by its key, item by item: LIMIT and OFFSET see to that. Left to
-- itself the planner, who believes that a batch has a hundred items, reads whole tables while they are small, and goes on
-- with that plan while they grow.

-- What a batch asks for, line by line gathered into one row for each item: its purses, the wallet first, with the room
-- in each. `spots` number the purses of the whole batch from 1. Only `limits` refuse: a purse whose budgets are all soft
-- or shadow has none, and room without end; `shadows` are held against what was spent and held. Under THE LOCK, with all
-- windows open.
CREATE OR REPLACE FUNCTION turnpike_asked(batch jsonb, at timestamptz) RETURNS TABLE (
    request uuid, organization uuid, project uuid, key uuid, model text, customer text, amount bigint, slice boolean,
    held_by uuid[], settled boolean,
    spots bigint[], purses uuid[], budgets uuid[], limits bigint[], rooms bigint[], helds bigint[], ends timestamptz[],
    shadows bigint[], shadow_rooms bigint[]
) LANGUAGE sql STABLE AS $$
    WITH item AS MATERIALIZED (
        SELECT b.position, i.*
        FROM jsonb_array_elements(batch) WITH ORDINALITY AS b(fields, position), jsonb_to_record(b.fields) AS i(
            request uuid, organization uuid, project uuid, key uuid, model text, customer text, amount bigint,
            slice boolean, caps jsonb)
    ), line AS (
        SELECT i.position, 0 AS place, i.organization AS purse, NULL::uuid AS budget, NULL::bigint AS "limit",
            p.posted_nusd + p.credit_line_nusd - p.held_nusd AS room, p.held_nusd, p.ends_at,
            NULL::bigint AS shadow, NULL::bigint AS shadow_room
        FROM item i LEFT JOIN LATERAL (SELECT * FROM billing_purse p WHERE p.id = i.organization LIMIT 1) p ON true
        UNION ALL
        SELECT i.position, c.place, w.id, c.budget, l.hard,
            coalesce(l.hard, 9223372036854775807) - w.posted_nusd - w.held_nusd, w.held_nusd, w.ends_at,
            l.shadow, l.shadow - w.posted_nusd - w.held_nusd
        FROM item i,
            ROWS FROM (jsonb_to_recordset(i.caps) AS (
                budget uuid, "window" text, "limit" bigint, carrying bigint, shadow bigint, shadow_carrying bigint))
                WITH ORDINALITY AS c(budget, "window", "limit", carrying, shadow, shadow_carrying, place),
            turnpike_last_window(c.budget, c."window", at) w,
            LATERAL (SELECT turnpike_limit(c."limit", c.carrying, w.carried_nusd) AS hard,
                turnpike_limit(c.shadow, c.shadow_carrying, w.carried_nusd) AS shadow) l
    ), need AS (
        SELECT l.position, array_agg(l.spot ORDER BY place) AS spots, array_agg(l.purse ORDER BY place) AS purses,
            array_agg(l.budget ORDER BY place) AS budgets, array_agg(l."limit" ORDER BY place) AS limits,
            array_agg(l.room ORDER BY place) AS rooms, array_agg(l.held_nusd ORDER BY place) AS helds,
            array_agg(l.ends_at ORDER BY place) AS ends, array_agg(l.shadow ORDER BY place) AS shadows,
            array_agg(l.shadow_room ORDER BY place) AS shadow_rooms
        FROM (SELECT *, dense_rank() OVER (ORDER BY purse) AS spot FROM line) l
        GROUP BY l.position
    )
    SELECT i.request, i.organization, i.project, i.key, i.model, coalesce(i.customer, ''), i.amount,
        coalesce(i.slice, false), h.purses,
        EXISTS (SELECT FROM billing_usagerecord u WHERE u.request_id = i.request OFFSET 0),
        n.spots, n.purses, n.budgets, n.limits, n.rooms, n.helds, n.ends, n.shadows, n.shadow_rooms
    FROM item i
        JOIN need n ON n.position = i.position
        LEFT JOIN LATERAL (
            SELECT h.purses FROM billing_hold h
            WHERE h.request_id = i.request AND h.organization_id = i.organization LIMIT 1
        ) h ON true
    ORDER BY i.position
$$;

-- Takes the worst case of each request from its wallet and from each budget window that applies: all or nothing.
--
-- batch: [{request, organization, project, key, model, customer, amount, slice, zone,
--          caps: [{budget, "window", scope, label,
--          "limit", carrying, soft, soft_carrying, shadow, shadow_carrying}]}]; one cap for each purse, with the limits
--          of each kind that it has. `limit` and `carrying` refuse; the latter carries over. The others only watch.
--          With `slice` the amount is for requests to come (0008_slices.sql).
-- One row per item, in the order of the batch.
--   Held: `purses`, what is left in the scarcest of them, and when the first of their windows ends. Asking again while
--   it is held takes nothing more.
--   Refused: `refused_by` (a purse id; the organization's own if it has no wallet), what that purse had room for,
--   what of it was held, what of that lies idle in slices, which are called back by this, when its window ends, and
--   which cap it was (0 is the wallet).
--   `shadowed` are the caps of a held request whose shadow budgets would have refused it; their purses count that.
--   Neither: the request was settled or has expired. It must not run again.
-- Steps:
--   1. lock the wallets                  2. open the budget windows
--   3. decide item by item in memory     4. write all purses and all holds at once
-- A hold needs no fsync: if Postgres crashes, the holds of the last moments and their purses vanish together.
-- Everything is reached by key, and says so: the statistics of tables that empty themselves all the time mislead.
CREATE OR REPLACE FUNCTION turnpike_hold(batch jsonb, lease interval)
RETURNS TABLE (
    request uuid, purses uuid[], refused_by uuid, budget uuid,
    limit_nusd bigint, room_nusd bigint, held_nusd bigint, idle_nusd bigint, ends_at timestamptz, cap integer,
    shadowed integer[]
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
    over_shadows uuid[] := '{}';
    over_amounts bigint[] := '{}';
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
        shadowed := NULL;
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
                    IF item.shadows[i] = 0 OR (
                        item.amount > 0 AND item.shadow_rooms[i] - coalesce(taken[item.spots[i]], 0) < item.amount
                    ) THEN
                        shadowed := shadowed || (i - 1);
                        over_shadows := over_shadows || item.purses[i];
                        over_amounts := over_amounts || item.amount;
                    END IF;
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
        cap := refusal - 1;
        RETURN NEXT;
    END LOOP;

    UPDATE billing_purse p SET held_nusd = p.held_nusd + t.amount
    FROM unnest(ids, taken) AS t(id, amount)
    WHERE p.id = t.id AND t.amount > 0;
    INSERT INTO billing_hold SELECT h.* FROM unnest(holds) h;
    IF cardinality(short) > 0 THEN
        PERFORM turnpike_recall(ARRAY(SELECT i.organization FROM jsonb_to_recordset(batch) AS i(organization uuid)), short);
    END IF;
    IF over_shadows <> '{}' THEN
        UPDATE billing_purse p SET shadow_refused = p.shadow_refused + o.requests,
            shadow_refused_nusd = p.shadow_refused_nusd + o.amount
        FROM (
            SELECT purse, count(*) AS requests, sum(amount)::bigint AS amount
            FROM unnest(over_shadows, over_amounts) AS u(purse, amount) GROUP BY purse
        ) o
        WHERE p.id = o.purse;
    END IF;
END $$;
