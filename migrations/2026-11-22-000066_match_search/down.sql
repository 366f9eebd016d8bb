DROP FUNCTION account_match_candidates(text, text, text[], text[], text[], text[], text[], integer[], boolean, integer);
DROP FUNCTION account_candidates(text, text, text[], text[], text[], text[], text[], integer[], boolean, integer);
DROP FUNCTION accounts_with_words(uuid, text[], text[], text, real, boolean, integer);
DROP INDEX account_match_keys_words_index;
DROP INDEX account_match_keys_own_words_index;

CREATE FUNCTION account_candidates(
    wanted_external_id text, wanted_domain text, name_keys text[], cores text[], thresholds integer[],
    seen_only boolean, most integer
) RETURNS SETOF accounts
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public SET pg_trgm.similarity_threshold = 0.5 AS
$$
DECLARE
    organization uuid := scope_organization();
    of_partner boolean := seen_only AND scope_partner() IS NOT NULL;
    found uuid[];
    alike uuid[];
BEGIN
    found := ARRAY(
        SELECT a.id FROM accounts a
        WHERE a.organization_id = organization AND a.external_id = wanted_external_id
        UNION (
        SELECT k.account_id FROM account_match_keys k
        WHERE k.organization_id = organization AND k.domain = wanted_domain
            AND (NOT of_partner OR partner_sees_account(k.account_id)) LIMIT most)
        UNION (
        SELECT k.account_id FROM account_match_keys k
        WHERE k.organization_id = organization AND k.name_key = ANY (name_keys)
            AND (NOT of_partner OR partner_sees_account(k.account_id)) LIMIT most));
    FOR i IN 1 .. coalesce(array_length(cores, 1), 0) LOOP
        PERFORM set_config('pg_trgm.similarity_threshold', (thresholds[i] / 1000.0)::text, true);
        -- Planned anew each time, with the values in it: a plan for any organization would not know how large it is.
        EXECUTE 'SELECT array_agg(s.account_id) FROM (
                SELECT k.account_id FROM account_match_keys k
                WHERE k.organization_id = $1 AND k.core % $2 AND (NOT $3 OR partner_sees_account(k.account_id))
                ORDER BY similarity(k.core, $2) DESC, k.account_id LIMIT $4) s'
            INTO alike USING organization, cores[i], of_partner, most;
        found := found || coalesce(alike, '{}');
    END LOOP;
    RETURN QUERY SELECT a.* FROM accounts a
        WHERE a.organization_id = organization AND a.id = ANY (found)
            AND (NOT of_partner OR partner_sees_account(a.id))
        ORDER BY a.id;
END
$$;

CREATE FUNCTION account_match_candidates(
    wanted_external_id text, wanted_domain text, name_keys text[], cores text[], thresholds integer[],
    seen_only boolean, most integer
) RETURNS SETOF accounts
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    WITH found AS MATERIALIZED (
        SELECT DISTINCT coalesce(c.merged_into_id, c.id) AS id
        FROM account_candidates(wanted_external_id, wanted_domain, name_keys, cores, thresholds, seen_only, most) c),
    confirmed AS (
        SELECT m.other_account_id AS id FROM account_matches m JOIN found f ON m.account_id = f.id
        WHERE m.organization_id = (SELECT scope_organization()) AND m.status = 'confirmed'
        UNION
        SELECT m.account_id FROM account_matches m JOIN found f ON m.other_account_id = f.id
        WHERE m.organization_id = (SELECT scope_organization()) AND m.status = 'confirmed')
    SELECT a.* FROM accounts a
    WHERE a.organization_id = (SELECT scope_organization()) AND a.merged_into_id IS NULL
        AND a.id IN (SELECT id FROM found UNION SELECT id FROM confirmed)
        AND (NOT seen_only OR (SELECT scope_partner()) IS NULL OR partner_sees_account(a.id));
$$;
