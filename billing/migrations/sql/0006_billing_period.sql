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

-- As in 0003_hold.sql, with the organization's day of creation as the anchor of billing periods.
-- now() is when a transaction began. One that waited for the lock while another, which began later, opened the window
-- of five hours must find that window open, not open a second one: so it begins a little before its first use, though
-- never before the end of the one before it. No transaction of the gateway lasts as long as that little.
CREATE OR REPLACE FUNCTION turnpike_open_windows(batch jsonb) RETURNS void LANGUAGE plpgsql AS $$
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
        SELECT uuidv7(), missing.organization, 'budget', missing.budget, missing."window",
            CASE missing."window" WHEN '5h' THEN greatest(w.starts - interval '10 seconds', (
                SELECT max(p.ends_at) FROM billing_purse p
                WHERE p.budget_id = missing.budget AND p."window" = '5h' AND p.ends_at <= now()
            )) ELSE w.starts END,
            w.ends, 0, 0, 0
        FROM tenants_organization o,
            LATERAL turnpike_window(missing."window", now(), missing.zone, o.created_at) w
        WHERE o.id = missing.organization AND NOT EXISTS (
            SELECT FROM billing_purse p
            WHERE p.budget_id = missing.budget AND p."window" = missing."window"
                AND p.starts_at <= now() AND p.ends_at > now()
        )
        -- The zone moved west of a window that had ended: it goes on.
        ON CONFLICT (budget_id, "window", starts_at) DO UPDATE SET ends_at = EXCLUDED.ends_at;
    END LOOP;
END $$;
