-- What people decide about accounts that may be one: pairs confirmed or rejected, accounts merged and parted again.

ALTER TABLE accounts
    ADD COLUMN merged_into_id uuid,
    ADD CONSTRAINT accounts_merged_into_fk FOREIGN KEY (organization_id, merged_into_id)
        REFERENCES accounts (organization_id, id),
    ADD CONSTRAINT accounts_merged_into_check CHECK (merged_into_id <> id);
CREATE INDEX accounts_merged_into_index ON accounts (organization_id, merged_into_id)
    WHERE merged_into_id IS NOT NULL;

-- Whether the worker has looked for accounts like this one since its keys were made.
ALTER TABLE account_match_keys ADD COLUMN compared boolean NOT NULL DEFAULT false;
CREATE INDEX account_match_keys_uncompared_index ON account_match_keys (organization_id, account_id)
    WHERE NOT compared AND key_version > 0 AND position = 0;

CREATE TABLE account_matches (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    other_account_id uuid NOT NULL,
    status text NOT NULL,
    status_reason text,
    score integer NOT NULL,
    reasons text[] NOT NULL,
    decided_by uuid,
    decided_by_type text,
    decided_at timestamptz,
    row_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT account_matches_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT account_matches_pair_key UNIQUE (organization_id, account_id, other_account_id),
    CONSTRAINT account_matches_organization_fk FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id),
    CONSTRAINT account_matches_account_fk FOREIGN KEY (organization_id, account_id)
        REFERENCES accounts (organization_id, id),
    CONSTRAINT account_matches_other_account_fk FOREIGN KEY (organization_id, other_account_id)
        REFERENCES accounts (organization_id, id),
    -- A pair is written in one way.
    CONSTRAINT account_matches_pair_check CHECK (account_id < other_account_id),
    CONSTRAINT account_matches_status_check CHECK (status IN ('suggested', 'confirmed', 'rejected')),
    CONSTRAINT account_matches_decision_check CHECK ((status = 'suggested') = (decided_at IS NULL))
);
CREATE INDEX account_matches_other_account_index ON account_matches (organization_id, other_account_id);
CREATE INDEX account_matches_status_index ON account_matches (organization_id, status, id);

CREATE TABLE account_merges (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    survivor_id uuid NOT NULL,
    status text NOT NULL,
    reason text NOT NULL,
    undo_reason text,
    moved_deals bigint NOT NULL,
    moved_accounts bigint NOT NULL,
    row_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT account_merges_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT account_merges_organization_fk FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id),
    CONSTRAINT account_merges_account_fk FOREIGN KEY (organization_id, account_id)
        REFERENCES accounts (organization_id, id),
    CONSTRAINT account_merges_survivor_fk FOREIGN KEY (organization_id, survivor_id)
        REFERENCES accounts (organization_id, id),
    CONSTRAINT account_merges_status_check CHECK (status IN ('merged', 'undone'))
);
CREATE INDEX account_merges_account_index ON account_merges (organization_id, account_id);
CREATE INDEX account_merges_survivor_index ON account_merges (organization_id, survivor_id);
-- An account is merged into one other at a time.
CREATE UNIQUE INDEX account_merges_merged_key ON account_merges (organization_id, account_id)
    WHERE status = 'merged';

-- Which records a merge moved to the survivor: those, and no others, go back when it is undone.
CREATE TABLE account_merge_moves (
    organization_id uuid NOT NULL,
    merge_id uuid NOT NULL,
    kind text NOT NULL,
    record_id uuid NOT NULL,
    CONSTRAINT account_merge_moves_pk PRIMARY KEY (organization_id, merge_id, kind, record_id),
    CONSTRAINT account_merge_moves_organization_fk FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id),
    CONSTRAINT account_merge_moves_merge_fk FOREIGN KEY (organization_id, merge_id)
        REFERENCES account_merges (organization_id, id)
);

SELECT protect_organization_table('account_matches');
SELECT protect_organization_table('account_merges');
SELECT protect_organization_table('account_merge_moves');
GRANT SELECT, INSERT, UPDATE ON account_matches, account_merges TO copartner_service;
GRANT SELECT, INSERT ON account_merge_moves TO copartner_service;

-- Whatever is written for a merged account goes to the survivor, also when the merge was committed in between: the lock
-- waits for it.
CREATE FUNCTION follow_merged_account() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
DECLARE
    survivor uuid;
BEGIN
    SELECT a.merged_into_id INTO survivor FROM accounts a
    WHERE a.organization_id = NEW.organization_id AND a.id = NEW.account_id FOR KEY SHARE;
    NEW.account_id := coalesce(survivor, NEW.account_id);
    RETURN NEW;
END
$$;
CREATE TRIGGER deals_follow_merged_account BEFORE INSERT ON deals
    FOR EACH ROW EXECUTE FUNCTION follow_merged_account();
CREATE TRIGGER deals_follow_merged_account_later BEFORE UPDATE ON deals
    FOR EACH ROW WHEN (OLD.account_id IS DISTINCT FROM NEW.account_id) EXECUTE FUNCTION follow_merged_account();

-- As account_candidates; a merged account stands for its survivor, and what a person confirmed belongs to it.
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

-- The account that stands for the merged one with this external id.
CREATE FUNCTION account_standing_for(wanted_external_id text) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    SELECT a.merged_into_id FROM accounts a
    WHERE a.organization_id = (SELECT scope_organization()) AND a.external_id = wanted_external_id;
$$;

-- What people decided between these accounts of the caller's organization.
CREATE FUNCTION account_decisions(ids uuid[])
    RETURNS TABLE (account_id uuid, other_account_id uuid, confirmed boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    SELECT m.account_id, m.other_account_id, m.status = 'confirmed' FROM account_matches m
    WHERE m.organization_id = (SELECT scope_organization()) AND m.status <> 'suggested'
        AND m.account_id = ANY (ids) AND m.other_account_id = ANY (ids);
$$;

-- The organizations with accounts that the worker has yet to compare.
CREATE FUNCTION organizations_with_accounts_to_compare() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    SELECT o.organization_id FROM organizations o
    WHERE EXISTS (SELECT FROM account_match_keys k
        WHERE k.organization_id = o.organization_id AND NOT k.compared AND k.key_version > 0 AND k.position = 0);
$$;

-- For each of these accounts the others with one of its keys or a name like it.
CREATE FUNCTION account_pairs(ids uuid[], most integer) RETURNS TABLE (account_id uuid, other_account_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public SET pg_trgm.similarity_threshold = 0.5 AS
$$
    SELECT DISTINCT w.account_id, o.account_id FROM account_match_keys w CROSS JOIN LATERAL (
        (SELECT k.account_id FROM account_match_keys k
            WHERE k.organization_id = w.organization_id AND k.domain = w.domain LIMIT most)
        UNION
        (SELECT k.account_id FROM account_match_keys k
            WHERE k.organization_id = w.organization_id AND k.name_key = w.name_key LIMIT most)
        UNION
        (SELECT k.account_id FROM account_match_keys k
            WHERE k.organization_id = w.organization_id AND k.core % w.core
            ORDER BY similarity(k.core, w.core) DESC, k.account_id LIMIT most)) o
    WHERE w.organization_id = (SELECT scope_organization()) AND w.account_id = ANY (ids)
        AND o.account_id <> w.account_id;
$$;
