-- What every statement asks of Postgres first, whether the caller is still let in, in its shortest form.
--
-- A key has an admission, a name that nobody guesses and that is drawn anew whenever anything changes on which the key
-- rests: the key itself, its owner, its partner. A caller brings the admission that it was let in with. As long as a
-- key has it, nothing has changed, and one look into one index tells the organization. Else `scope_organization()`
-- looks at everything, as before, and says what is wrong.
ALTER TABLE api_keys ADD COLUMN admission_id uuid DEFAULT gen_random_uuid();
CREATE UNIQUE INDEX api_keys_admission_key ON api_keys (admission_id);
UPDATE api_keys SET admission_id = NULL WHERE revoked_at IS NOT NULL;

CREATE FUNCTION redraw_admission() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public AS
$$
BEGIN
    NEW.admission_id := CASE WHEN NEW.revoked_at IS NULL THEN gen_random_uuid() END;
    RETURN NEW;
END
$$;
CREATE TRIGGER api_keys_admission BEFORE UPDATE ON api_keys FOR EACH ROW
    WHEN ((OLD.access_version, OLD.revoked_at, OLD.owner_id, OLD.partner_id)
        IS DISTINCT FROM (NEW.access_version, NEW.revoked_at, NEW.owner_id, NEW.partner_id))
    EXECUTE FUNCTION redraw_admission();

CREATE FUNCTION redraw_admissions_of_owner() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
BEGIN
    UPDATE api_keys SET admission_id = gen_random_uuid()
    WHERE organization_id = NEW.organization_id AND owner_id = NEW.id AND revoked_at IS NULL;
    RETURN NULL;
END
$$;
CREATE TRIGGER users_admissions AFTER UPDATE ON users FOR EACH ROW
    WHEN ((OLD.status, OLD.access_version, OLD.partner_id)
        IS DISTINCT FROM (NEW.status, NEW.access_version, NEW.partner_id))
    EXECUTE FUNCTION redraw_admissions_of_owner();

CREATE FUNCTION redraw_admissions_of_partner() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
BEGIN
    UPDATE api_keys SET admission_id = gen_random_uuid()
    WHERE organization_id = NEW.organization_id AND partner_id = NEW.id AND revoked_at IS NULL;
    RETURN NULL;
END
$$;
CREATE TRIGGER partners_admissions AFTER UPDATE ON partners FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION redraw_admissions_of_partner();

-- The caller's organization. A view and no function, so that Postgres plans it into each statement.
CREATE VIEW caller AS
    SELECT coalesce(
        (SELECT k.organization_id FROM api_keys k
         WHERE k.admission_id = nullif(current_setting('copartner.admission_id', true), '')::uuid),
        scope_organization()) AS organization_id;
GRANT SELECT ON caller TO copartner_service;

-- Replaces in every policy one way to ask for the caller's organization by another, and in the functions that make
-- policies too.
CREATE FUNCTION replace_in_policies(old text, new text) RETURNS void LANGUAGE plpgsql AS
$$
DECLARE
    policy record;
    maker regprocedure;
BEGIN
    FOR maker IN SELECT oid FROM pg_proc WHERE proname ~ '^protect_.*_table$' LOOP
        EXECUTE replace(pg_get_functiondef(maker), old, new);
    END LOOP;
    FOR policy IN
        SELECT p.polname, p.polrelid::regclass AS of_table,
            regexp_replace(pg_get_expr(p.polqual, p.polrelid), '\s+', ' ', 'g') AS visible,
            regexp_replace(pg_get_expr(p.polwithcheck, p.polrelid), '\s+', ' ', 'g') AS written
        FROM pg_policy p
    LOOP
        IF position(old IN policy.visible) > 0 THEN
            EXECUTE format('ALTER POLICY %I ON %s USING (%s)', policy.polname, policy.of_table,
                replace(policy.visible, old, new));
        END IF;
        IF position(old IN policy.written) > 0 THEN
            EXECUTE format('ALTER POLICY %I ON %s WITH CHECK (%s)', policy.polname, policy.of_table,
                replace(policy.written, old, new));
        END IF;
    END LOOP;
END
$$;
SELECT replace_in_policies('( SELECT scope_organization() AS scope_organization)',
    '( SELECT caller.organization_id FROM caller)');
SELECT replace_in_policies('(SELECT scope_organization())', '(SELECT organization_id FROM caller)');

DROP FUNCTION authenticate_api_key(bytea);
-- Who holds this secret, and what may the owner do? Asked before any scope is known, therefore with the owner's rights.
-- A secret that was replaced is good to the end of the overlap.
CREATE FUNCTION authenticate_api_key(hash bytea)
    RETURNS TABLE (organization_id uuid, id uuid, partner_id uuid, permissions text[], expires_at timestamptz,
        owner_id uuid, access_version bigint, owner_built_in text[], owner_permissions text[],
        allowed_networks text[], admission_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    SELECT k.organization_id, k.id, k.partner_id, k.permissions,
        CASE WHEN k.secret_hash = hash THEN k.expires_at ELSE least(k.expires_at, k.previous_secret_until) END,
        k.owner_id, k.access_version + coalesce(r.access_version, 0), coalesce(r.built_in, '{}'),
        coalesce(r.permissions, '{}'), k.allowed_networks,
        -- Who comes by a key of a partner that is not let in has to be looked at closely.
        CASE WHEN NOT EXISTS (SELECT FROM partners p WHERE p.organization_id = k.organization_id
            AND p.id = k.partner_id AND p.status IN ('suspended', 'terminated')) THEN k.admission_id END
    FROM api_keys k LEFT JOIN LATERAL rights_of_user(k.organization_id, k.owner_id) r ON true
    WHERE (k.secret_hash = hash OR k.previous_secret_hash = hash) AND k.revoked_at IS NULL
        AND (k.owner_id IS NULL OR r.access_version IS NOT NULL)
$$;
