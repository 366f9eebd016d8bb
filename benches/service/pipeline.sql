-- The pipeline around the deals: accounts with names to be matched, their keys, programs and live registrations.
SET session_replication_role = replica;

-- Names of two or three words that are put together of syllables: 'kalenberg tomira'.
CREATE FUNCTION bench_word(seed bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT string_agg(('{ba,ke,li,mo,nu,ra,se,ti,vo,zu,dra,pel,gor,fin,hal,ten,stro,bel,kan,mur,lis,wen,dor,pas,
        quin,jas,rof,tul,yer,chi,sha,blo,gre,vin,cor,ast,eld,ing,ost,urb}'::text[])[
        1 + abs(hashint8(seed * 31 + i)) % 40], '') FROM generate_series(1, 2 + abs(hashint8(seed))::int % 3) i
$$;
CREATE FUNCTION bench_core(number bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT bench_word(number % 150000)
        || CASE WHEN number % 3 = 0 THEN '' ELSE ' ' || bench_word(200000 + number * 7 % 170000) END
$$;
CREATE FUNCTION bench_id(kind integer, number bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex(1760000000000 + number), 12, '0') || '7' || lpad(to_hex(kind), 3, '0') || '8000'
        || lpad(to_hex(number), 12, '0'))::uuid
$$;

-- The program of the deals takes registrations and clicks; every partner takes part in it.
INSERT INTO enrollments (organization_id, id, partner_id, program_id, status, activated_at, row_version, created_at,
    updated_at)
SELECT '{organization}', bench_id(5, n), bench_id(3, n), bench_id(1, 1), 'active', now(), 1, now(), now()
FROM generate_series(1, 200) n;

INSERT INTO accounts (organization_id, id, name, domain, row_version, created_at, updated_at)
SELECT '{organization}', bench_id(6, n), bench_core(n) || ' GmbH', n || '.example', 1, now(), now()
FROM generate_series(1, {accounts}) n;

INSERT INTO account_match_keys (organization_id, account_id, position, name_key, core, domain, key_version, compared)
SELECT '{organization}', bench_id(6, n), 0, replace(bench_core(n), ' ', ''), bench_core(n), n || '.example',
    {key_version}, true
FROM generate_series(1, {accounts}) n;

-- The accounts that came with the deals have keys as well, so that the worker has nothing to do meanwhile.
DELETE FROM account_match_keys WHERE key_version < {key_version};
INSERT INTO account_match_keys (organization_id, account_id, position, name_key, core, key_version, compared)
SELECT a.organization_id, a.id, 0, lower(replace(a.name, ' ', '')), lower(a.name), {key_version}, true
FROM accounts a WHERE NOT EXISTS (SELECT FROM account_match_keys k WHERE k.account_id = a.id);

-- Every fifth account is claimed, half of them with protection.
INSERT INTO deal_registrations (organization_id, id, partner_id, program_id, account_id, amount, currency, claim,
    hidden_from_parent, status, submitted_at, decided_at, protection_days, protection_starts, protected_from,
    protected_until, paused_seconds, deal_id, created_by, created_by_type, row_version, created_at, updated_at)
SELECT '{organization}', bench_id(7, n), bench_id(3, 1 + n % 200), bench_id(1, 1), bench_id(6, n * 5), 25000, 'EUR',
    jsonb_build_object('account_name', bench_core(n * 5) || ' GmbH', 'account_domain', n * 5 || '.example', 'country',
        NULL, 'name', bench_core(n * 5) || ' GmbH', 'public_tender', false, 'expected_close_on', NULL, 'qualification',
        '{}'::jsonb, 'attachments', '[]'::jsonb),
    false, s.status, now(), CASE s.status WHEN 'approved' THEN now() END, 90, 'approval',
    CASE s.status WHEN 'approved' THEN now() END, CASE s.status WHEN 'approved' THEN now() + interval '90 days' END, 0,
    CASE s.status WHEN 'approved' THEN bench_id(4, 1 + n % {deals}) END, '{key}', 'api_key', 1, now(), now()
FROM generate_series(1, {registrations}) n, LATERAL (SELECT (ARRAY['submitted', 'approved'])[1 + n % 2] AS status) s;

INSERT INTO referral_links (organization_id, id, partner_id, program_id, code, target_url, status, row_version,
    created_at, updated_at)
SELECT '{organization}', bench_id(8, n), bench_id(3, n), bench_id(1, 1), 'bench-' || n, 'https://vendor.example/', 'active',
    1, now(), now()
FROM generate_series(1, 100) n;
