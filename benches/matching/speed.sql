-- How long it takes to match one new account against a million: `psql -f benches/matching/speed.sql <empty migrated
-- database>`. Fills the database with a generated organization, prints what 200 matches took and the plan of one.
-- Never for a database that anybody uses.
\set QUIET on
\set organization '''00000000-0000-0000-0000-0000000000aa'''
SET client_min_messages = warning;
SET session_replication_role = replica;
-- Names of two or three words that are put together of syllables: 'kalenberg tomira'.
CREATE FUNCTION pg_temp.word(seed bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT string_agg(('{ba,ke,li,mo,nu,ra,se,ti,vo,zu,dra,pel,gor,fin,hal,ten,stro,bel,kan,mur,lis,wen,dor,pas,
        quin,jas,rof,tul,yer,chi,sha,blo,gre,vin,cor,ast,eld,ing,ost,urb}'::text[])[
        1 + abs(hashint8(seed * 31 + i)) % 40], '') FROM generate_series(1, 2 + abs(hashint8(seed))::int % 3) i
$$;
CREATE TEMP TABLE names AS SELECT n, pg_temp.word(n % 150000)
    || CASE WHEN n % 3 = 0 THEN '' ELSE ' ' || pg_temp.word(200000 + n * 7 % 170000) END AS core
    FROM generate_series(1, 1000000) n;
INSERT INTO accounts (organization_id, id, name, row_version, created_at, updated_at)
    SELECT :organization, ('00000000-0000-0000-0000-' || lpad(to_hex(n), 12, '0'))::uuid, core || ' GmbH', 1, now(), now()
    FROM names;
INSERT INTO account_match_keys (organization_id, account_id, position, name_key, core, domain, key_version, compared)
    SELECT :organization, ('00000000-0000-0000-0000-' || lpad(to_hex(n), 12, '0'))::uuid, 0, replace(core, ' ', ''), core,
        n || '.example', 1, true FROM names;
SET session_replication_role = origin;
VACUUM ANALYZE accounts, account_match_keys;
SELECT set_config('copartner.organization_id', :organization, false);
CREATE TEMP TABLE took (milliseconds numeric, found bigint);
-- The names that are asked for have a letter left out.
DO $$
DECLARE
    asked record;
    started timestamptz;
    found bigint;
BEGIN
    FOR asked IN SELECT overlay(core PLACING '' FROM 3 FOR 1) AS core FROM names WHERE n % 4991 = 0 LIMIT 200 LOOP
        started := clock_timestamp();
        SELECT count(*) INTO found FROM account_match_candidates(NULL, 'new.example', ARRAY[replace(asked.core, ' ', '')],
            ARRAY[asked.core], ARRAY[CASE WHEN length(asked.core) <= 12 THEN 400 ELSE 500 END], false, 50);
        INSERT INTO took VALUES (extract(epoch FROM clock_timestamp() - started) * 1000, found);
    END LOOP;
END
$$;
SELECT count(*) AS matches, round(avg(milliseconds), 1) AS mean_ms,
    round(percentile_cont(0.5) WITHIN GROUP (ORDER BY milliseconds)::numeric, 1) AS median_ms,
    round(percentile_cont(0.95) WITHIN GROUP (ORDER BY milliseconds)::numeric, 1) AS p95_ms,
    round(max(milliseconds), 1) AS most_ms, round(avg(found), 1) AS candidates FROM took;
SET pg_trgm.similarity_threshold = 0.5;
EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) SELECT k.account_id FROM account_match_keys k
    WHERE k.organization_id = :organization AND k.core % 'kalenberg tomira'
    ORDER BY similarity(k.core, 'kalenberg tomira') DESC, k.account_id LIMIT 50;
