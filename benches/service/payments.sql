-- A year of paid invoices of won deals, each with one confirmed credit, and some open ones after them, made in sets.
SET session_replication_role = replica;

CREATE FUNCTION pg_temp.made(kind integer, number bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex(1760000000000 + number), 12, '0') || '7' || lpad(to_hex(kind), 3, '0') || '8000'
        || lpad(to_hex(number), 12, '0'))::uuid
$$;

INSERT INTO programs (organization_id, id, name, motion, time_zone, rounding, commission_approval, lock_point,
    minimum_payouts, row_version, created_at, updated_at)
VALUES ('{organization}', pg_temp.made(1, 1), 'Reseller', 'reseller', 'Europe/London', 'half_up', 'automatic',
    'deal_won', '[]', 1, now(), now());

INSERT INTO commission_rules (organization_id, id, program_id, name, component, row_version, created_at, updated_at)
VALUES ('{organization}', pg_temp.made(2, 1), pg_temp.made(1, 1), '{terms}', 'base', 1, now(), now());

INSERT INTO commission_rule_versions (organization_id, id, commission_rule_id, version, status, formula, motions, roles,
    partner_ids, product_family_ids, currencies, priority, hold_days, effective_from, terms_hash, activated_at,
    row_version, created_at, updated_at)
VALUES ('{organization}', pg_temp.made(3, 1), pg_temp.made(2, 1), 1, 'active', '{formula}',
    '{}', '{}', '{}', '{}', '{}', 0, 0, '2020-01-01', 'none', now(), 1, now(), now());

INSERT INTO partners (organization_id, id, name, status, approved_at, row_version, created_at, updated_at)
SELECT '{organization}', pg_temp.made(4, n), 'Partner ' || n, 'approved', now(), 1, now(), now()
FROM generate_series(1, 1000) n;

INSERT INTO enrollments (organization_id, id, partner_id, program_id, status, activated_at, row_version, created_at,
    updated_at)
SELECT '{organization}', pg_temp.made(5, n), pg_temp.made(4, n), pg_temp.made(1, 1), 'active', now(), 1, now(), now()
FROM generate_series(1, 1000) n;

INSERT INTO accounts (organization_id, id, name, row_version, created_at, updated_at)
SELECT '{organization}', pg_temp.made(6, n), 'Account ' || n, 1, now(), now() FROM generate_series(1, 1000) n;

INSERT INTO deals (organization_id, id, name, account_id, program_id, partner_id, deal_type, status, amount, currency,
    opened_on, won_at, row_version, created_at, updated_at)
SELECT '{organization}', pg_temp.made(7, n), 'Deal ' || n, pg_temp.made(6, 1 + n % 1000), pg_temp.made(1, 1),
    pg_temp.made(4, 1 + n % 1000), 'new', 'won', 10000, 'GBP', '2025-01-01', '2025-01-01', 1, now(), now()
FROM generate_series(1, 1 + ({payments} + {open}) / 5) n;

INSERT INTO attributions (organization_id, id, deal_id, partner_id, role, share_basis_points, allocation_rank, status,
    confirmed_at, row_version, created_at, updated_at)
SELECT '{organization}', pg_temp.made(8, n), pg_temp.made(7, n), pg_temp.made(4, 1 + n % 1000), 'sourced', 10000, 1,
    'confirmed', now(), 1, now(), now()
FROM generate_series(1, 1 + ({payments} + {open}) / 5) n;

INSERT INTO invoices (organization_id, id, deal_id, status, currency, total_amount, net_amount, paid_amount,
    refunded_amount, credited_amount, issued_on, row_version, created_at, updated_at)
SELECT '{organization}', pg_temp.made(9, n), pg_temp.made(7, 1 + n / 5), CASE WHEN n <= {payments} THEN 'paid' ELSE 'open' END,
    'GBP', 120 + n % 9000 * 1.2, 100 + n % 9000, CASE WHEN n <= {payments} THEN 120 + n % 9000 * 1.2 ELSE 0 END, 0, 0,
    '2025-01-01', 1, now(), now()
FROM generate_series(1, {payments} + {open}) n;

INSERT INTO invoice_lines (organization_id, id, invoice_id, position, net_amount, tax_amount)
SELECT '{organization}', pg_temp.made(10, n), pg_temp.made(9, n), 1, 100 + n % 9000, 20 + n % 9000 * 0.2
FROM generate_series(1, {payments} + {open}) n;

INSERT INTO payments (organization_id, id, invoice_id, currency, amount, cumulative_amount, refunded_amount, paid_at,
    row_version, created_at, updated_at)
SELECT '{organization}', pg_temp.made(11, n), pg_temp.made(9, n), 'GBP', 120 + n % 9000 * 1.2, 120 + n % 9000 * 1.2, 0,
    timestamptz '2025-01-05 00:00+00' + n * (interval '360 days' / {payments}), 1, now(), now()
FROM generate_series(1, {payments}) n;
