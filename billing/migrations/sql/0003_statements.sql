-- The monthly statements of an organization, read from nothing but the ledger: one row for each month of its time zone,
-- from its first transaction to now, without gaps. Credits are what was put in; usage is what requests cost, and below
-- zero; corrections are everything else: adjustments by hand, and what a corrected price changed.
CREATE OR REPLACE FUNCTION turnpike_statements(organization uuid, zone text) RETURNS TABLE (
    month date, starts_at timestamptz, ends_at timestamptz, opening_nusd bigint,
    credits_nusd bigint, usage_nusd bigint, corrections_nusd bigint, closing_nusd bigint
) LANGUAGE sql STABLE AS $$
    WITH moved AS (
        SELECT date_trunc('month', t.at AT TIME ZONE zone) AS month, sum(e.amount_nusd) AS amount,
            coalesce(sum(e.amount_nusd) FILTER (WHERE t.kind IN ('credit', 'stripe')), 0) AS credits,
            coalesce(sum(e.amount_nusd) FILTER (WHERE t.kind = 'usage'), 0) AS usage
        FROM billing_ledgertransaction t
            JOIN billing_ledgerentry e ON e.transaction_id = t.id AND e.account = 'wallet'
        WHERE t.organization_id = organization
        GROUP BY 1
    ), months AS (
        SELECT generate_series(first, greatest(last, date_trunc('month', now() AT TIME ZONE zone)), '1 month') AS month
        FROM (SELECT min(m.month) AS first, max(m.month) AS last FROM moved m) m
    )
    SELECT month::date, month AT TIME ZONE zone, (month + interval '1 month') AT TIME ZONE zone,
        (sum(coalesce(amount, 0)) OVER so_far - coalesce(amount, 0))::bigint,
        coalesce(credits, 0)::bigint, coalesce(usage, 0)::bigint,
        coalesce(amount - credits - usage, 0)::bigint,
        (sum(coalesce(amount, 0)) OVER so_far)::bigint
    FROM months LEFT JOIN moved USING (month)
    WINDOW so_far AS (ORDER BY month)
    ORDER BY month
$$;
