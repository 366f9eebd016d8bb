-- What accounts are found by when somebody asks whether a company is known: kept by the service beside each account,
-- since the service makes the keys.
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS btree_gin;

CREATE TABLE account_match_keys (
    organization_id uuid NOT NULL,
    account_id uuid NOT NULL,
    -- Counts the names: an account that trades under another name has two rows.
    position integer NOT NULL,
    -- The name without all that people write in different ways, and the words of it that are the company's own.
    name_key text,
    core text,
    domain text,
    -- Which way of making keys it was; 0 while nobody has made them.
    key_version integer NOT NULL,
    CONSTRAINT account_match_keys_pk PRIMARY KEY (organization_id, account_id, position),
    CONSTRAINT account_match_keys_organization_fk FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id),
    CONSTRAINT account_match_keys_account_fk FOREIGN KEY (organization_id, account_id)
        REFERENCES accounts (organization_id, id),
    CONSTRAINT account_match_keys_position_check CHECK (position >= 0)
);
CREATE INDEX account_match_keys_name_index ON account_match_keys (organization_id, name_key)
    WHERE name_key IS NOT NULL;
CREATE INDEX account_match_keys_domain_index ON account_match_keys (organization_id, domain)
    WHERE domain IS NOT NULL;
CREATE INDEX account_match_keys_core_index ON account_match_keys USING gin (organization_id, core gin_trgm_ops)
    WHERE core IS NOT NULL;
CREATE INDEX account_match_keys_version_index ON account_match_keys (organization_id, key_version);

SELECT protect_organization_table('account_match_keys');
GRANT SELECT, INSERT, UPDATE, DELETE ON account_match_keys TO copartner_service;

-- Whoever writes an account leaves a mark, so that its keys are made even where the writer does not make them.
CREATE FUNCTION mark_new_accounts() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
BEGIN
    INSERT INTO account_match_keys (organization_id, account_id, position, key_version)
    SELECT n.organization_id, n.id, 0, 0 FROM new_accounts n;
    RETURN NULL;
END
$$;
CREATE FUNCTION mark_changed_account() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
BEGIN
    UPDATE account_match_keys SET key_version = 0
    WHERE organization_id = NEW.organization_id AND account_id = NEW.id AND position = 0;
    RETURN NULL;
END
$$;
CREATE TRIGGER accounts_keys_wanted AFTER INSERT ON accounts
    REFERENCING NEW TABLE AS new_accounts FOR EACH STATEMENT EXECUTE FUNCTION mark_new_accounts();
CREATE TRIGGER accounts_keys_outdated AFTER UPDATE OF name, domain ON accounts
    FOR EACH ROW WHEN (OLD.name IS DISTINCT FROM NEW.name OR OLD.domain IS DISTINCT FROM NEW.domain)
    EXECUTE FUNCTION mark_changed_account();
INSERT INTO account_match_keys (organization_id, account_id, position, key_version)
SELECT a.organization_id, a.id, 0, 0 FROM accounts a;

-- The organizations with accounts whose keys are missing, outdated, or made in another way than this.
CREATE FUNCTION organizations_with_keys_wanted(version integer) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    SELECT o.organization_id FROM organizations o
    WHERE EXISTS (SELECT FROM account_match_keys k
        WHERE k.organization_id = o.organization_id AND k.key_version < version);
$$;

-- The caller's accounts that may be the company with these keys: by external id, by domain, by name key, and by
-- trigrams of the names' own words, the most alike first. It looks with the owner's eyes, because Postgres does not use
-- an index for similarity under a policy; the organization is asked of the scope all the same, and with `seen_only` a
-- partner gets no other accounts than it sees.
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
