-- A name is looked for by what is one slip away from it, and by its words: going through all trigrams of a name took tens of
-- milliseconds among a million, most of them for the trigrams that very many names have.
CREATE INDEX account_match_keys_own_words_index ON account_match_keys (organization_id, core) WHERE core IS NOT NULL;
CREATE INDEX account_match_keys_words_index ON account_match_keys USING gin (string_to_array(core, ' '));

DROP FUNCTION account_match_candidates(text, text, text[], text[], integer[], boolean, integer);
DROP FUNCTION account_candidates(text, text, text[], text[], integer[], boolean, integer);

-- The best of the accounts with one of these words, where their names are alike enough; nothing where more than three
-- hundred have one, unless a partner looks among the few that it sees. With `other_words` one of those, too.
-- Comparing every name of an organization with hundreds of words takes far longer than Postgres reckons, and finding them by
-- the index far less. So the index of words comes first, whatever is known of the table, and the organization behind it.
CREATE FUNCTION accounts_with_words(
    organization uuid, words text[], other_words text[], core text, threshold real, of_partner boolean, most integer
) RETURNS uuid[]
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public SET random_page_cost = 0.01 SET enable_seqscan = off AS
$$
DECLARE
    found uuid[];
BEGIN
    -- Planned anew each time, with the values in it: a plan for any word would not know how many have it; and as if all were
    -- read, because whatever has to be read to find the first few is not known.
    EXECUTE 'WITH holders AS MATERIALIZED (
            SELECT k.account_id, k.core FROM (
                SELECT * FROM account_match_keys
                WHERE string_to_array(core, '' '') && $2 AND ($3 IS NULL OR string_to_array(core, '' '') && $3)
                OFFSET 0) k
            WHERE k.organization_id = $1
                AND (NOT $6 OR similarity(k.core, $4) >= $5 AND partner_sees_account(k.account_id))),
        few AS MATERIALIZED (SELECT * FROM holders LIMIT 301),
        alike AS (
            SELECT f.account_id, similarity(f.core, $4) AS likeness FROM few f
            WHERE (SELECT count(*) FROM few) <= 300)
        SELECT CASE WHEN (SELECT count(*) FROM few) <= 300 THEN
            coalesce((array_agg(account_id ORDER BY likeness DESC, account_id) FILTER (WHERE likeness >= $5))[1:$7], ''{}'')
            END FROM alike'
        INTO found USING organization, words, other_words, core, threshold, of_partner, most;
    RETURN found;
END
$$;
REVOKE EXECUTE ON FUNCTION accounts_with_words(uuid, text[], text[], text, real, boolean, integer) FROM PUBLIC;

-- Accounts that may be a company: by its keys, by the same own words (`names`) or some that are one slip away, and by each of
-- its words, where the rest is alike. `words` are texts: a word and, with spaces between them, what is one slip away from it;
-- `cores` and `thresholds` belong to them, one to each. Runs with the owner's eyes, because under a policy Postgres would not
-- take the indexes; therefore the organization is asked of the scope, and a partner's sight of it, too.
CREATE FUNCTION account_candidates(
    wanted_external_id text, wanted_domain text, name_keys text[], names text[], slips text[], words text[], cores text[],
    thresholds integer[], seen_only boolean, most integer
) RETURNS SETOF accounts
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
DECLARE
    organization uuid := scope_organization();
    of_partner boolean := seen_only AND scope_partner() IS NOT NULL;
    found uuid[];
    alike uuid[];
    wanted text[];
    common text[];
    other text;
    threshold real;
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
            AND (NOT of_partner OR partner_sees_account(k.account_id)) LIMIT most)
        UNION (
        SELECT k.account_id FROM account_match_keys k
        WHERE k.organization_id = organization AND k.core = ANY (names)
            AND (NOT of_partner OR partner_sees_account(k.account_id)) ORDER BY k.account_id LIMIT most)
        UNION (
        SELECT k.account_id FROM unnest(slips) s (core)
        JOIN account_match_keys k ON k.organization_id = organization AND k.core = s.core
        WHERE NOT of_partner OR partner_sees_account(k.account_id)
        ORDER BY k.account_id LIMIT most));
    FOR i IN 1 .. coalesce(array_length(words, 1), 0) LOOP
        threshold := thresholds[i] / 1000.0;
        wanted := string_to_array(words[i], ' ');
        IF i = 1 OR cores[i] <> cores[i - 1] THEN
            common := '{}';
        END IF;
        alike := accounts_with_words(organization, wanted, NULL, cores[i], threshold, of_partner, most);
        IF alike IS NULL THEN
            -- Very many have this word or one like it. Fewer may have just this one; and fewer have it and another such word.
            IF cardinality(wanted) > 1 THEN
                alike := accounts_with_words(organization, wanted[1:1], NULL, cores[i], threshold, of_partner, most);
            END IF;
            FOREACH other IN ARRAY common LOOP
                alike := alike || accounts_with_words(organization, wanted, string_to_array(other, ' '), cores[i], threshold,
                    of_partner, most);
            END LOOP;
            common := (common || words[i])[1:3];
        END IF;
        found := found || alike;
    END LOOP;
    RETURN QUERY SELECT a.* FROM accounts a
        WHERE a.organization_id = organization AND a.id = ANY (found)
            AND (NOT of_partner OR partner_sees_account(a.id))
        ORDER BY a.id;
END
$$;

-- The same, with the account that stands for a merged one, and with those that a person said are the same. Not in SQL: what
-- a function in SQL says is planned anew each time that it is asked.
CREATE FUNCTION account_match_candidates(
    wanted_external_id text, wanted_domain text, name_keys text[], names text[], slips text[], words text[], cores text[],
    thresholds integer[], seen_only boolean, most integer
) RETURNS SETOF accounts
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
DECLARE
    organization uuid := scope_organization();
    of_partner boolean := seen_only AND scope_partner() IS NOT NULL;
    found uuid[];
BEGIN
    found := ARRAY(
        SELECT DISTINCT coalesce(c.merged_into_id, c.id)
        FROM account_candidates(wanted_external_id, wanted_domain, name_keys, names, slips, words, cores, thresholds, seen_only,
            most) c);
    RETURN QUERY SELECT a.* FROM accounts a
        WHERE a.organization_id = organization AND a.merged_into_id IS NULL
            AND a.id IN (
                SELECT unnest(found)
                UNION
                SELECT m.other_account_id FROM account_matches m
                WHERE m.organization_id = organization AND m.account_id = ANY (found) AND m.status = 'confirmed'
                UNION
                SELECT m.account_id FROM account_matches m
                WHERE m.organization_id = organization AND m.other_account_id = ANY (found) AND m.status = 'confirmed')
            AND (NOT of_partner OR partner_sees_account(a.id));
END
$$;
