-- Raises the holds of requests that run and cost more than was held for them: an engine that produces more than it was
-- allowed to, media whose size nobody knew. All purses of a request or none, as when it was held.
--
-- batch: [{request, organization, needed, wanted, caps: [{budget, "limit", "window"}]}]
--   `needed` is what the hold must become, or the request has to end; `wanted` is what it shall become where there is
--   room. A request keeps the windows that it was held in, whatever time it is by now. One that is over and whose rest
--   is carried over has no room any more: it has been lent to the next.
-- One row per item, in the order of the batch.
--   Grown: `amount_nusd` is what is held now; a slice grows with the request in it. It stays as it was while something
--   lies idle in slices that could be given back: they are called back, and it is to be asked for again.
--   Refused: `refused_by` (a purse id), and the room of that purse. What is held stays as it was.
--   Neither: nothing is held for it any more.
CREATE OR REPLACE FUNCTION turnpike_grow(batch jsonb)
RETURNS TABLE (
    request uuid, amount_nusd bigint, refused_by uuid, budget uuid, limit_nusd bigint, room_nusd bigint
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    item record;
    hold billing_hold;
    tightest record;
    more bigint;
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    PERFORM turnpike_lock_wallets(ARRAY(SELECT i.organization FROM jsonb_to_recordset(batch) AS i(organization uuid)));
    FOR item IN
        SELECT i.* FROM jsonb_array_elements(batch) WITH ORDINALITY AS b(fields, position),
            jsonb_to_record(b.fields) AS i(request uuid, organization uuid, needed bigint, wanted bigint, caps jsonb)
        ORDER BY b.position
    LOOP
        request := item.request;
        amount_nusd := NULL;
        refused_by := NULL;
        budget := NULL;
        limit_nusd := NULL;
        room_nusd := NULL;
        SELECT h.* INTO hold FROM billing_hold h
        WHERE h.request_id = item.request AND h.organization_id = item.organization;
        IF FOUND THEN
            SELECT p.id, p.budget_id, l.hard,
                CASE
                    WHEN p.kind = 'wallet' THEN p.posted_nusd + p.credit_line_nusd - p.held_nusd
                    WHEN p.ends_at <= clock_timestamp() AND p.carrying_nusd IS NOT NULL THEN 0
                    ELSE coalesce(l.hard, 9223372036854775807) - p.posted_nusd - p.held_nusd
                END AS room
            INTO tightest
            FROM billing_purse p
                LEFT JOIN jsonb_to_recordset(item.caps) AS c(
                    budget uuid, "window" text, "limit" bigint, carrying bigint)
                    ON c.budget = p.budget_id AND c."window" = p."window",
                LATERAL (SELECT turnpike_limit(c."limit", c.carrying, p.carried_nusd) AS hard) l
            WHERE p.id = ANY (hold.purses) AND (p.kind = 'wallet' OR c.budget IS NOT NULL)
            ORDER BY room, array_position(hold.purses, p.id) LIMIT 1;
            more := least(item.wanted - hold.amount_nusd, tightest.room);
            IF hold.amount_nusd >= item.needed THEN
                amount_nusd := hold.amount_nusd;
            ELSIF hold.amount_nusd + more < item.needed AND turnpike_idle(item.organization, tightest.id) > 0 THEN
                PERFORM turnpike_recall(ARRAY[item.organization], ARRAY[tightest.id]);
                amount_nusd := hold.amount_nusd;
            ELSIF hold.amount_nusd + more < item.needed THEN
                refused_by := tightest.id;
                budget := tightest.budget_id;
                limit_nusd := tightest.hard;
                room_nusd := tightest.room;
            ELSE
                UPDATE billing_purse p SET held_nusd = p.held_nusd + more WHERE p.id = ANY (hold.purses);
                UPDATE billing_hold h SET amount_nusd = h.amount_nusd + more WHERE h.request_id IN (item.request, hold.slice_id);
                amount_nusd := hold.amount_nusd + more;
            END IF;
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;
