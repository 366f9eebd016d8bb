-- Accounts, partners, a program and deals, made in sets. Ids grow with the number, as those of the service do.
SET session_replication_role = replica;

CREATE FUNCTION pg_temp.made(kind integer, number bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex(1760000000000 + number), 12, '0') || '7' || lpad(to_hex(kind), 3, '0') || '8000'
        || lpad(to_hex(number), 12, '0'))::uuid
$$;

INSERT INTO programs (organization_id, id, name, motion, time_zone, rounding, commission_approval, lock_point,
    minimum_payouts, row_version, created_at, updated_at)
VALUES ('{organization}', pg_temp.made(1, 1), 'Referral', 'referral', 'UTC', 'half_up', 'automatic', 'deal_won', '[]',
    1, now(), now());

INSERT INTO accounts (organization_id, id, name, row_version, created_at, updated_at)
SELECT '{organization}', pg_temp.made(2, n), 'Account ' || n, 1, now(), now() FROM generate_series(1, 1000) n;

INSERT INTO partners (organization_id, id, name, status, approved_at, row_version, created_at, updated_at)
SELECT '{organization}', pg_temp.made(3, n), 'Partner ' || n, 'approved', now(), 1, now(), now()
FROM generate_series(1, 200) n;

INSERT INTO deals (organization_id, id, external_id, name, account_id, program_id, partner_id, deal_type, status,
    amount, currency, opened_on, expected_close_on, won_at, lost_at, lost_reason, row_version, created_at, updated_at)
SELECT '{organization}', pg_temp.made(4, n), 'crm-opportunity-' || n, 'Fleet telematics, stage ' || n,
    pg_temp.made(2, 1 + n % 1000), pg_temp.made(1, 1), pg_temp.made(3, 1 + n % 200), 'new', s.status,
    1000 + n % 90000, 'EUR', '2026-03-02', '2026-06-30',
    CASE s.status WHEN 'won' THEN timestamptz '2026-05-18 14:05+00' END,
    CASE s.status WHEN 'lost' THEN timestamptz '2026-05-18 14:05+00' END,
    CASE s.status WHEN 'lost' THEN 'The customer chose to build it.' END, 1, now(), now()
FROM generate_series(1, {deals}) n, LATERAL (SELECT (ARRAY['open', 'won', 'lost', 'open'])[1 + n % 4] AS status) s;
