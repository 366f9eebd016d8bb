SELECT replace_in_policies('( SELECT caller.organization_id FROM caller)',
    '( SELECT scope_organization() AS scope_organization)');
SELECT replace_in_policies('(SELECT organization_id FROM caller)', '(SELECT scope_organization())');
DROP FUNCTION replace_in_policies(text, text);
DROP VIEW caller;
DROP TRIGGER partners_admissions ON partners;
DROP FUNCTION redraw_admissions_of_partner();
DROP TRIGGER users_admissions ON users;
DROP FUNCTION redraw_admissions_of_owner();
DROP TRIGGER api_keys_admission ON api_keys;
DROP FUNCTION redraw_admission();
DROP FUNCTION authenticate_api_key(bytea);
ALTER TABLE api_keys DROP COLUMN admission_id;
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
