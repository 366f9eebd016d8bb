-- Where no user is an admin, the keys that make keys and people are the admins: the last one of them is not revoked, nor
-- made to end earlier. Whoever has to replace its secret rotates it.
CREATE FUNCTION keep_an_admin_key() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
BEGIN
    IF OLD.expires_at <= NEW.updated_at THEN
        RETURN NULL;
    END IF;
    PERFORM 1 FROM organizations o WHERE o.organization_id = NEW.organization_id FOR NO KEY UPDATE;
    PERFORM 1 FROM users u
        JOIN user_roles h ON h.organization_id = u.organization_id AND h.user_id = u.id
        JOIN roles r ON r.organization_id = h.organization_id AND r.id = h.role_id
    WHERE u.organization_id = NEW.organization_id AND u.status = 'active' AND r.built_in = 'admin';
    IF FOUND THEN
        RETURN NULL;
    END IF;
    PERFORM 1 FROM api_keys k
        LEFT JOIN users u ON u.organization_id = k.organization_id AND u.id = k.owner_id
    WHERE k.organization_id = NEW.organization_id AND k.id <> NEW.id AND k.partner_id IS NULL
        AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > NEW.updated_at)
        AND k.permissions @> ARRAY['api_keys:write', 'users:write']
        AND (k.owner_id IS NULL OR u.status = 'active');
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the last admin cannot be removed' USING ERRCODE = 'CP409';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER api_keys_last_admin AFTER UPDATE ON api_keys FOR EACH ROW
    WHEN (OLD.partner_id IS NULL AND OLD.revoked_at IS NULL
        AND OLD.permissions @> ARRAY['api_keys:write', 'users:write']
        AND (NEW.revoked_at IS NOT NULL
            OR coalesce(NEW.expires_at, 'infinity') < coalesce(OLD.expires_at, 'infinity')))
    EXECUTE FUNCTION keep_an_admin_key();

-- How many decimals the amounts of a currency have, as ISO 4217 says and the service counts.
CREATE FUNCTION decimals_of(currency text) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$
    SELECT CASE
        WHEN currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND',
            'VUV', 'XAF', 'XOF', 'XPF') THEN 0
        WHEN currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 3
        WHEN currency IN ('CLF', 'UYW') THEN 4
        ELSE 2 END
$$;
