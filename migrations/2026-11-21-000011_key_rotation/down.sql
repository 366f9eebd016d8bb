DROP FUNCTION note_key_uses(uuid[], uuid[], timestamptz[]);
DROP FUNCTION authenticate_api_key(bytea);
CREATE FUNCTION authenticate_api_key(hash bytea)
    RETURNS TABLE (organization_id uuid, id uuid, partner_id uuid, permissions text[], expires_at timestamptz,
        owner_id uuid, access_version bigint, owner_built_in text[], owner_permissions text[])
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    SELECT k.organization_id, k.id, k.partner_id, k.permissions, k.expires_at, k.owner_id, r.access_version,
        coalesce(r.built_in, '{}'), coalesce(r.permissions, '{}')
    FROM api_keys k LEFT JOIN LATERAL rights_of_user(k.organization_id, k.owner_id) r ON true
    WHERE k.secret_hash = hash AND k.revoked_at IS NULL AND (k.owner_id IS NULL OR r.access_version IS NOT NULL)
$$;
CREATE OR REPLACE FUNCTION scope_organization() RETURNS uuid
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER AS
$$
DECLARE
    organization pg_catalog.uuid :=
        nullif(pg_catalog.current_setting('copartner.organization_id', true), '')::pg_catalog.uuid;
    person pg_catalog.uuid;
    version pg_catalog.int8;
BEGIN
    IF pg_catalog.current_setting('copartner.api_key_id', true) <> '' THEN
        SELECT k.owner_id INTO person FROM public.api_keys k
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
            ELSE u.access_version END INTO version
        FROM public.users u
        WHERE u.organization_id = organization AND u.id = person
            AND (u.status = 'active' OR u.xmin = pg_catalog.pg_current_xact_id_if_assigned()::pg_catalog.xid);
        IF NOT FOUND THEN
            RAISE EXCEPTION 'the caller is no longer let in' USING ERRCODE = 'CP401';
        END IF;
        IF version <> nullif(pg_catalog.current_setting('copartner.access_version', true), '')::pg_catalog.int8 THEN
            RAISE EXCEPTION 'the rights of the user have changed' USING ERRCODE = 'CP402';
        END IF;
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
ALTER TABLE api_keys DROP COLUMN allowed_networks, DROP COLUMN last_used_at, DROP COLUMN previous_secret_hash,
    DROP COLUMN previous_secret_until, DROP COLUMN access_version;
