-- Where no user is an admin, the keys that make keys and people are the admins: the last one of them is not revoked, nor
-- made to end earlier. Whoever has to replace its secret rotates it.
CREATE FUNCTION is_an_admin(organization uuid, person uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    SELECT EXISTS (SELECT FROM rights_of_user(organization, person) r
        WHERE 'admin' = ANY (r.built_in) OR r.permissions @> ARRAY['api_keys:write', 'users:write'])
$$;
REVOKE EXECUTE ON FUNCTION is_an_admin(uuid, uuid) FROM PUBLIC;
CREATE FUNCTION keep_an_admin_key() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
BEGIN
    IF OLD.expires_at <= NEW.updated_at
            OR OLD.owner_id IS NOT NULL AND NOT is_an_admin(OLD.organization_id, OLD.owner_id) THEN
        RETURN NULL;
    END IF;
    PERFORM 1 FROM organizations o WHERE o.organization_id = NEW.organization_id FOR NO KEY UPDATE;
    PERFORM 1 FROM users u WHERE u.organization_id = NEW.organization_id AND u.status = 'active'
        AND u.partner_id IS NULL AND is_an_admin(u.organization_id, u.id);
    IF FOUND THEN
        RETURN NULL;
    END IF;
    PERFORM 1 FROM api_keys k
    WHERE k.organization_id = NEW.organization_id AND k.id <> NEW.id AND k.partner_id IS NULL
        AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > NEW.updated_at)
        AND k.permissions @> ARRAY['api_keys:write', 'users:write']
        AND (k.owner_id IS NULL OR is_an_admin(k.organization_id, k.owner_id));
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
