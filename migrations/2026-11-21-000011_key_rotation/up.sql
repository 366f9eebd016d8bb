-- Keys that are rotated with an overlap, confined to networks, and whose last use is known.
ALTER TABLE api_keys
    ADD COLUMN allowed_networks text[] NOT NULL DEFAULT '{}',
    ADD COLUMN last_used_at timestamptz,
    ADD COLUMN previous_secret_hash bytea,
    ADD COLUMN previous_secret_until timestamptz,
    -- Counts the changes of what the key lets in, as users.access_version counts those of its owner. A caller
    -- remembers the sum of both, which grows with either.
    ADD COLUMN access_version bigint NOT NULL DEFAULT 1,
    ADD CONSTRAINT api_keys_previous_secret_hash_check CHECK (octet_length(previous_secret_hash) = 32
        AND (previous_secret_hash IS NULL) = (previous_secret_until IS NULL));
CREATE UNIQUE INDEX api_keys_previous_secret_hash_key ON api_keys (previous_secret_hash)
    WHERE previous_secret_hash IS NOT NULL;

-- The caller's organization, asked by every policy once per statement. As before, and a key that was rotated or changed
-- is looked up anew.
CREATE OR REPLACE FUNCTION scope_organization() RETURNS uuid
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER AS
$$
DECLARE
    organization pg_catalog.uuid :=
        nullif(pg_catalog.current_setting('copartner.organization_id', true), '')::pg_catalog.uuid;
    person pg_catalog.uuid;
    of_key pg_catalog.int8 := 0;
    of_person pg_catalog.int8 := 0;
BEGIN
    IF pg_catalog.current_setting('copartner.api_key_id', true) <> '' THEN
        SELECT k.owner_id, CASE WHEN k.xmin = pg_catalog.pg_current_xact_id_if_assigned()::pg_catalog.xid THEN NULL
            ELSE k.access_version END INTO person, of_key
        FROM public.api_keys k
        WHERE k.organization_id = organization
            AND k.id = pg_catalog.current_setting('copartner.api_key_id', true)::pg_catalog.uuid
            AND (k.revoked_at IS NULL OR k.xmin = pg_catalog.pg_current_xact_id_if_assigned()::pg_catalog.xid);
        IF NOT FOUND THEN
            RAISE EXCEPTION 'the caller is no longer let in' USING ERRCODE = 'CP401';
        END IF;
    ELSIF pg_catalog.current_setting('copartner.user_id', true) <> '' THEN
        person := pg_catalog.current_setting('copartner.user_id', true)::pg_catalog.uuid;
    END IF;
    IF person IS NOT NULL THEN
        SELECT CASE WHEN u.xmin = pg_catalog.pg_current_xact_id_if_assigned()::pg_catalog.xid THEN NULL
            ELSE u.access_version END INTO of_person
        FROM public.users u
        WHERE u.organization_id = organization AND u.id = person
            AND (u.status = 'active' OR u.xmin = pg_catalog.pg_current_xact_id_if_assigned()::pg_catalog.xid);
        IF NOT FOUND THEN
            RAISE EXCEPTION 'the caller is no longer let in' USING ERRCODE = 'CP401';
        END IF;
    END IF;
    IF of_key + of_person <> nullif(pg_catalog.current_setting('copartner.access_version', true), '')::pg_catalog.int8 THEN
        RAISE EXCEPTION 'the rights of the caller have changed' USING ERRCODE = 'CP402';
    END IF;
    IF pg_catalog.current_setting('copartner.partner_id', true) <> '' THEN
        PERFORM 1 FROM public.partners p
        WHERE p.organization_id = organization
            AND p.id = pg_catalog.current_setting('copartner.partner_id', true)::pg_catalog.uuid
            AND p.status IN ('suspended', 'terminated');
        IF FOUND THEN
            RAISE EXCEPTION 'the caller is no longer let in' USING ERRCODE = 'CP401';
        END IF;
    END IF;
    RETURN organization;
END
$$;

DROP FUNCTION authenticate_api_key(bytea);
-- Who holds this secret, and what may the owner do? Asked before any scope is known, therefore with the owner's rights.
-- A secret that was replaced is good to the end of the overlap.
CREATE FUNCTION authenticate_api_key(hash bytea)
    RETURNS TABLE (organization_id uuid, id uuid, partner_id uuid, permissions text[], expires_at timestamptz,
        owner_id uuid, access_version bigint, owner_built_in text[], owner_permissions text[],
        allowed_networks text[])
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    SELECT k.organization_id, k.id, k.partner_id, k.permissions,
        CASE WHEN k.secret_hash = hash THEN k.expires_at ELSE least(k.expires_at, k.previous_secret_until) END,
        k.owner_id, k.access_version + coalesce(r.access_version, 0), coalesce(r.built_in, '{}'),
        coalesce(r.permissions, '{}'), k.allowed_networks
    FROM api_keys k LEFT JOIN LATERAL rights_of_user(k.organization_id, k.owner_id) r ON true
    WHERE (k.secret_hash = hash OR k.previous_secret_hash = hash) AND k.revoked_at IS NULL
        AND (k.owner_id IS NULL OR r.access_version IS NOT NULL)
$$;

-- When keys of any organization were last used; told now and then for many requests together.
CREATE FUNCTION note_key_uses(organizations uuid[], keys uuid[], instants timestamptz[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    UPDATE api_keys k SET last_used_at = greatest(k.last_used_at, u.used_at)
    FROM unnest(organizations, keys, instants) AS u (organization_id, id, used_at)
    WHERE k.organization_id = u.organization_id AND k.id = u.id
$$;
