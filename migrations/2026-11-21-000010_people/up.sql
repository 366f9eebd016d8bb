-- People: users, the roles they hold, and keys that belong to somebody.

CREATE TABLE roles (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    built_in text,
    for_partners boolean NOT NULL,
    permissions text[] NOT NULL,
    row_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT roles_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT roles_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id),
    CONSTRAINT roles_name_key UNIQUE (organization_id, name),
    CONSTRAINT roles_built_in_key UNIQUE (organization_id, built_in),
    -- What a built-in role holds is written in the service and not here.
    CONSTRAINT roles_built_in_check CHECK (built_in IS NULL OR cardinality(permissions) = 0)
);

CREATE TABLE users (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    partner_id uuid,
    external_id text,
    email text NOT NULL,
    name text NOT NULL,
    status text NOT NULL,
    status_reason text,
    -- Counts the changes of what the user may do; a caller who was let in with an older count is asked for anew.
    access_version bigint NOT NULL DEFAULT 1,
    row_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT users_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT users_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id),
    CONSTRAINT users_partner_fk FOREIGN KEY (organization_id, partner_id) REFERENCES partners (organization_id, id),
    CONSTRAINT users_external_id_key UNIQUE (organization_id, external_id),
    CONSTRAINT users_status_check CHECK (status IN ('active', 'suspended', 'terminated'))
);
-- One account for an e-mail address within the organization's own people and within those of each partner: a partner
-- must not learn from a refusal who works for another.
CREATE UNIQUE INDEX users_email_key ON users (organization_id, coalesce(partner_id, organization_id), lower(email))
    WHERE status <> 'terminated';
CREATE INDEX users_partner_index ON users (organization_id, partner_id, id);

CREATE TABLE user_roles (
    organization_id uuid NOT NULL,
    user_id uuid NOT NULL,
    role_id uuid NOT NULL,
    CONSTRAINT user_roles_pk PRIMARY KEY (organization_id, user_id, role_id),
    CONSTRAINT user_roles_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id),
    CONSTRAINT user_roles_user_fk FOREIGN KEY (organization_id, user_id) REFERENCES users (organization_id, id),
    CONSTRAINT user_roles_role_fk FOREIGN KEY (organization_id, role_id) REFERENCES roles (organization_id, id)
);
CREATE INDEX user_roles_role_index ON user_roles (organization_id, role_id);

INSERT INTO roles (organization_id, id, name, built_in, for_partners, permissions, row_version, created_at, updated_at)
SELECT o.organization_id, gen_random_uuid(), r.name, r.built_in, r.for_partners, '{}', 1, now(), now()
FROM organizations o, (VALUES
    ('Admin', 'admin', false), ('Partner manager', 'partner_manager', false), ('Sales', 'sales', false),
    ('Finance', 'finance', false), ('Analyst', 'analyst', false), ('Partner admin', 'partner_admin', true),
    ('Partner member', 'partner_member', true)) AS r (name, built_in, for_partners);

-- A key belongs to a user, or to nobody. Who made it may be a key or a user.
ALTER TABLE api_keys
    ADD COLUMN owner_id uuid,
    ADD COLUMN created_by_type text,
    ADD CONSTRAINT api_keys_owner_fk FOREIGN KEY (organization_id, owner_id) REFERENCES users (organization_id, id),
    ADD CONSTRAINT api_keys_created_by_type_check CHECK (created_by_type IN ('api_key', 'user'));
UPDATE api_keys SET created_by_type = 'api_key' WHERE created_by IS NOT NULL;
CREATE INDEX api_keys_owner_index ON api_keys (organization_id, owner_id) WHERE owner_id IS NOT NULL;

-- Who answers for a run: a user, or a key that belongs to nobody. That the two differ is held here already.
ALTER TABLE payout_runs
    ADD COLUMN created_by_type text,
    ADD COLUMN approved_by_type text,
    ADD CONSTRAINT payout_runs_created_by_type_check CHECK (created_by_type IN ('api_key', 'user')),
    ADD CONSTRAINT payout_runs_approved_by_type_check CHECK (approved_by_type IN ('api_key', 'user'));
UPDATE payout_runs SET created_by_type = CASE WHEN created_by IS NOT NULL THEN 'api_key' END,
    approved_by_type = CASE WHEN approved_by IS NOT NULL THEN 'api_key' END;

ALTER TABLE imports
    ADD COLUMN created_by_type text,
    ADD CONSTRAINT imports_created_by_type_check CHECK (created_by_type IN ('api_key', 'user'));
UPDATE imports SET created_by_type = 'api_key' WHERE created_by IS NOT NULL;

ALTER TABLE audit_events
    DROP CONSTRAINT audit_events_actor_type_check,
    ADD COLUMN responsible_id uuid,
    ADD CONSTRAINT audit_events_actor_type_check CHECK (actor_type IN ('api_key', 'user', 'system'));
CREATE INDEX audit_events_responsible_index ON audit_events (organization_id, responsible_id, id)
    WHERE responsible_id IS NOT NULL;

-- Whoever gains or loses a right is let in anew.
CREATE FUNCTION count_access_of_user() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
DECLARE
    held record;
BEGIN
    IF TG_OP = 'DELETE' THEN held := OLD; ELSE held := NEW; END IF;
    UPDATE users SET access_version = access_version + 1
    WHERE organization_id = held.organization_id AND id = held.user_id;
    RETURN NULL;
END
$$;
CREATE TRIGGER user_roles_access AFTER INSERT OR DELETE ON user_roles
    FOR EACH ROW EXECUTE FUNCTION count_access_of_user();

CREATE FUNCTION count_access_of_role() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
BEGIN
    UPDATE users u SET access_version = access_version + 1
    FROM user_roles r
    WHERE r.organization_id = NEW.organization_id AND r.role_id = NEW.id
        AND u.organization_id = r.organization_id AND u.id = r.user_id;
    RETURN NULL;
END
$$;
CREATE TRIGGER roles_access AFTER UPDATE OF permissions ON roles
    FOR EACH ROW WHEN (OLD.permissions IS DISTINCT FROM NEW.permissions) EXECUTE FUNCTION count_access_of_role();

-- An organization that has had an admin keeps one. The organization's row is locked first, so that two admins who
-- remove each other at once cannot both succeed.
CREATE FUNCTION keep_an_admin() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
DECLARE
    organization uuid := OLD.organization_id;
BEGIN
    IF TG_TABLE_NAME = 'user_roles' THEN
        PERFORM 1 FROM roles r WHERE r.organization_id = organization AND r.id = OLD.role_id AND r.built_in = 'admin';
    ELSE
        PERFORM 1 FROM user_roles h JOIN roles r ON r.organization_id = h.organization_id AND r.id = h.role_id
        WHERE h.organization_id = organization AND h.user_id = OLD.id AND r.built_in = 'admin';
    END IF;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    PERFORM 1 FROM organizations o WHERE o.organization_id = organization FOR NO KEY UPDATE;
    PERFORM 1 FROM users u
        JOIN user_roles h ON h.organization_id = u.organization_id AND h.user_id = u.id
        JOIN roles r ON r.organization_id = h.organization_id AND r.id = h.role_id
    WHERE u.organization_id = organization AND u.status = 'active' AND r.built_in = 'admin';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the last admin cannot be removed' USING ERRCODE = 'CP409';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER users_last_admin AFTER UPDATE OF status ON users DEFERRABLE INITIALLY IMMEDIATE
    FOR EACH ROW WHEN (OLD.status = 'active' AND NEW.status <> 'active') EXECUTE FUNCTION keep_an_admin();
CREATE CONSTRAINT TRIGGER user_roles_last_admin AFTER DELETE ON user_roles DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION keep_an_admin();

-- The caller's organization, asked by every policy once per statement. Whoever calls must still be let in at this very
-- statement, whatever a cache remembers: the key, its owner, the user, the partner. Rights that have changed since the
-- caller was let in are an error of their own, so that the service looks them up and tries again. A caller who changes
-- their own record is let in until the end of that transaction, which has yet to write what happened.
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

-- The rights of users: the names of their built-in roles, and what their other roles hold.
CREATE FUNCTION rights_of_user(organization uuid, person uuid)
    RETURNS TABLE (access_version bigint, built_in text[], permissions text[])
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    SELECT u.access_version,
        ARRAY(SELECT r.built_in FROM user_roles h JOIN roles r
            ON r.organization_id = h.organization_id AND r.id = h.role_id
            WHERE h.organization_id = u.organization_id AND h.user_id = u.id AND r.built_in IS NOT NULL),
        ARRAY(SELECT DISTINCT unnest(r.permissions) FROM user_roles h JOIN roles r
            ON r.organization_id = h.organization_id AND r.id = h.role_id
            WHERE h.organization_id = u.organization_id AND h.user_id = u.id AND r.built_in IS NULL)
    FROM users u WHERE u.organization_id = organization AND u.id = person AND u.status = 'active'
$$;
REVOKE EXECUTE ON FUNCTION rights_of_user(uuid, uuid) FROM PUBLIC;

DROP FUNCTION authenticate_api_key(bytea);
-- Who holds this secret, and what may the owner do? Asked before any scope is known, therefore with the owner's rights.
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

-- Tables of which a partner's callers may see and change the rows of their own partner.
CREATE FUNCTION protect_partner_table(name regclass) RETURNS void LANGUAGE plpgsql AS
$$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format(
        'CREATE POLICY organization_and_partner ON %s USING (organization_id = (SELECT scope_organization())'
        ' AND ((SELECT scope_partner()) IS NULL OR partner_id = (SELECT scope_partner())))', name);
END
$$;

SELECT protect_partner_table('users');
SELECT protect_shared_table('roles', 'for_partners');
ALTER TABLE user_roles ENABLE ROW LEVEL SECURITY;
-- Whoever may see a user may see and change what the user holds.
CREATE POLICY organization_and_partner ON user_roles USING (organization_id = (SELECT scope_organization())
    AND EXISTS (SELECT FROM users u WHERE u.organization_id = user_roles.organization_id AND u.id = user_roles.user_id));
DROP POLICY organization_and_partner ON api_keys;
SELECT protect_partner_table('api_keys');
-- What a partner's callers do is recorded too, though they do not read the audit trail.
CREATE POLICY partners_write ON audit_events FOR INSERT
    WITH CHECK (organization_id = (SELECT scope_organization()));
CREATE POLICY partners_write ON events FOR INSERT
    WITH CHECK (organization_id = (SELECT scope_organization()) AND partner_id = (SELECT scope_partner()));
ALTER POLICY own_keys ON idempotency_keys USING (organization_id = (SELECT scope_organization())
    AND actor_id = coalesce(nullif(current_setting('copartner.api_key_id', true), ''),
        nullif(current_setting('copartner.user_id', true), ''))::uuid);

GRANT SELECT, INSERT, UPDATE ON users TO copartner_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON roles TO copartner_service;
GRANT SELECT, INSERT, DELETE ON user_roles TO copartner_service;
