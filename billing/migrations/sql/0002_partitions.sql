-- Makes the partitions of this month and of the next ones. Safe to call at any time, as often as one likes.
CREATE OR REPLACE FUNCTION turnpike_ensure_partitions(months integer DEFAULT 3) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    starts timestamptz;
    name text;
    made integer := 0;
BEGIN
    FOR i IN 0 .. months LOOP
        starts := date_trunc('month', now(), 'UTC') + make_interval(months => i);
        name := 'billing_usagerecord_' || to_char(starts AT TIME ZONE 'UTC', 'YYYY_MM');
        CONTINUE WHEN to_regclass(name) IS NOT NULL;
        BEGIN
            EXECUTE format(
                'CREATE TABLE %I PARTITION OF billing_usagerecord FOR VALUES FROM (%L) TO (%L)',
                name, turnpike_lowest_uuid(starts),
                turnpike_lowest_uuid(date_trunc('month', starts + interval '1 month', 'UTC'))
            );
            made := made + 1;
        EXCEPTION WHEN check_violation THEN
            -- A process whose clock was wrong has left records of this month in the default partition. There they stay,
            -- and those of this month with them; the months after it get theirs.
            RAISE WARNING '% is not made: the default partition has records of that month', name;
        END;
    END LOOP;
    RETURN made;
END $$;
