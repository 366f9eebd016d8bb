DROP FUNCTION note_refused_secret(bytea, uuid, text, uuid, timestamptz);
DROP FUNCTION note_refusal(uuid, uuid, uuid, uuid, uuid, text, text, uuid, text, uuid, timestamptz);
DROP FUNCTION published_signing_keys(uuid, timestamptz);
DROP FUNCTION publish_signing_key(uuid, text, jsonb, timestamptz, timestamptz);
DROP FUNCTION session_of_refresh_token(bytea);
DROP FUNCTION authenticate_session(uuid, uuid);
DROP FUNCTION authenticate_identity(uuid, uuid, text, bytea, uuid, text, uuid, timestamptz);
DROP FUNCTION keep_fetched_jwks(uuid, uuid, text, jsonb, timestamptz);
DROP FUNCTION identity_providers_of_token(text, text[], uuid);
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

ALTER TABLE organizations DROP COLUMN second_factor_for_payouts;
ALTER TABLE audit_events DROP COLUMN session_id, DROP COLUMN confined_to;
ALTER POLICY own_keys ON idempotency_keys USING (organization_id = (SELECT scope_organization())
    AND actor_id = coalesce(nullif(current_setting('copartner.api_key_id', true), ''),
        nullif(current_setting('copartner.user_id', true), ''))::uuid);
ALTER TABLE idempotency_keys DROP CONSTRAINT idempotency_keys_pk;
ALTER TABLE idempotency_keys DROP COLUMN confined_to;
ALTER TABLE idempotency_keys ADD CONSTRAINT idempotency_keys_pk PRIMARY KEY (organization_id, actor_id, route, key);
DROP TRIGGER api_keys_sessions ON api_keys;
DROP FUNCTION end_sessions_of_key();
DROP TABLE authentication_events, signing_keys, refresh_tokens, sessions, identities, identity_providers;
DROP FUNCTION count_access_of_provider();
DROP FUNCTION end_sessions_of_provider();
