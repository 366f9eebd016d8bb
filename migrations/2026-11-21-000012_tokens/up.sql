-- Tokens: where people come from (identity providers), sessions with tokens of the service's own, and who came in.

CREATE TABLE identity_providers (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    -- Whose people come from here: one partner's, or, without it, the organization's.
    partner_id uuid,
    name text NOT NULL,
    issuer text NOT NULL,
    audiences text[] NOT NULL,
    -- The public keys: at an address, or as they were handed over.
    jwks_url text,
    jwks jsonb,
    -- What was last read at the address, so that people come in while it is away.
    fetched_jwks jsonb,
    fetched_at timestamptz,
    algorithms text[] NOT NULL,
    subject_claim text NOT NULL,
    email_claim text NOT NULL,
    name_claim text NOT NULL,
    partner_claim text,
    email_domains text[] NOT NULL,
    accepts_unverified_email boolean NOT NULL,
    provisioning text NOT NULL,
    default_role_ids uuid[] NOT NULL,
    second_factor_methods text[] NOT NULL,
    second_factor_classes text[] NOT NULL,
    status text NOT NULL,
    status_reason text,
    -- Counts the changes of what a token from here lets in; a caller remembers the sum with that of the user.
    access_version bigint NOT NULL DEFAULT 1,
    row_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT identity_providers_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT identity_providers_organization_fk FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id),
    CONSTRAINT identity_providers_partner_fk FOREIGN KEY (organization_id, partner_id)
        REFERENCES partners (organization_id, id),
    CONSTRAINT identity_providers_keys_check CHECK ((jwks_url IS NULL) <> (jwks IS NULL)),
    CONSTRAINT identity_providers_audiences_check CHECK (cardinality(audiences) > 0),
    CONSTRAINT identity_providers_algorithms_check CHECK (cardinality(algorithms) > 0 AND algorithms
        <@ ARRAY['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'EdDSA']),
    -- Only the organization's own provider may say whose person somebody is.
    CONSTRAINT identity_providers_partner_claim_check CHECK (partner_id IS NULL OR partner_claim IS NULL),
    CONSTRAINT identity_providers_provisioning_check CHECK (provisioning IN ('known_people', 'just_in_time')),
    CONSTRAINT identity_providers_status_check CHECK (status IN ('active', 'suspended'))
);
CREATE INDEX identity_providers_issuer_index ON identity_providers (issuer);
CREATE INDEX identity_providers_partner_index ON identity_providers (organization_id, partner_id, id);

-- What was let in under other terms is looked at anew, and keys from another address are no longer believed.
CREATE FUNCTION count_access_of_provider() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
    IF NEW.row_version <> OLD.row_version THEN
        NEW.access_version := OLD.access_version + 1;
    END IF;
    IF NEW.jwks_url IS DISTINCT FROM OLD.jwks_url THEN
        NEW.fetched_jwks := NULL;
        NEW.fetched_at := NULL;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER identity_providers_access BEFORE UPDATE ON identity_providers
    FOR EACH ROW EXECUTE FUNCTION count_access_of_provider();

-- Who somebody is who comes from a provider: its subject never changes, an e-mail address may.
CREATE TABLE identities (
    organization_id uuid NOT NULL,
    identity_provider_id uuid NOT NULL,
    subject text NOT NULL,
    user_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    last_login_at timestamptz,
    CONSTRAINT identities_pk PRIMARY KEY (organization_id, identity_provider_id, subject),
    CONSTRAINT identities_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id),
    CONSTRAINT identities_identity_provider_fk FOREIGN KEY (organization_id, identity_provider_id)
        REFERENCES identity_providers (organization_id, id),
    CONSTRAINT identities_user_fk FOREIGN KEY (organization_id, user_id) REFERENCES users (organization_id, id)
);
CREATE INDEX identities_user_index ON identities (organization_id, user_id);

-- What somebody exchanged a key or a provider's token for: short-lived access tokens, and where it was asked for, a
-- family of refresh tokens.
CREATE TABLE sessions (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    partner_id uuid,
    api_key_id uuid,
    user_id uuid,
    identity_provider_id uuid,
    -- What it is narrowed to; without it, everything that its bearer may do.
    permissions text[],
    second_factor boolean NOT NULL,
    address text,
    revoked_at timestamptz,
    revoked_because text,
    expires_at timestamptz NOT NULL,
    row_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT sessions_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT sessions_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id),
    CONSTRAINT sessions_partner_fk FOREIGN KEY (organization_id, partner_id)
        REFERENCES partners (organization_id, id),
    CONSTRAINT sessions_api_key_fk FOREIGN KEY (organization_id, api_key_id)
        REFERENCES api_keys (organization_id, id),
    CONSTRAINT sessions_user_fk FOREIGN KEY (organization_id, user_id) REFERENCES users (organization_id, id),
    CONSTRAINT sessions_identity_provider_fk FOREIGN KEY (organization_id, identity_provider_id)
        REFERENCES identity_providers (organization_id, id),
    CONSTRAINT sessions_bearer_check CHECK ((api_key_id IS NULL) <> (user_id IS NULL)
        AND (identity_provider_id IS NULL OR user_id IS NOT NULL))
);
CREATE INDEX sessions_partner_index ON sessions (organization_id, partner_id, id);
CREATE INDEX sessions_api_key_index ON sessions (organization_id, api_key_id, id) WHERE api_key_id IS NOT NULL;
CREATE INDEX sessions_user_index ON sessions (organization_id, user_id, id) WHERE user_id IS NOT NULL;
CREATE INDEX sessions_identity_provider_index ON sessions (organization_id, identity_provider_id)
    WHERE identity_provider_id IS NOT NULL;

-- What a session was made with ended: a key got another secret, or the provider by whose word its bearer was let in is
-- another now. Whoever may still come in exchanges anew.
CREATE FUNCTION end_sessions_of_key() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
BEGIN
    UPDATE sessions s SET revoked_at = NEW.updated_at, revoked_because = 'credential_changed',
        row_version = s.row_version + 1, updated_at = NEW.updated_at
    WHERE s.organization_id = NEW.organization_id AND s.api_key_id = NEW.id AND s.revoked_at IS NULL;
    RETURN NULL;
END
$$;
CREATE TRIGGER api_keys_sessions AFTER UPDATE OF secret_hash ON api_keys
    FOR EACH ROW WHEN (OLD.secret_hash <> NEW.secret_hash) EXECUTE FUNCTION end_sessions_of_key();

CREATE FUNCTION end_sessions_of_provider() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
BEGIN
    UPDATE sessions s SET revoked_at = NEW.updated_at, revoked_because = 'credential_changed',
        row_version = s.row_version + 1, updated_at = NEW.updated_at
    WHERE s.organization_id = NEW.organization_id AND s.identity_provider_id = NEW.id AND s.revoked_at IS NULL;
    RETURN NULL;
END
$$;
CREATE TRIGGER identity_providers_sessions AFTER UPDATE ON identity_providers
    FOR EACH ROW WHEN ((OLD.audiences, OLD.jwks_url, OLD.jwks, OLD.algorithms, OLD.email_domains,
        OLD.second_factor_methods, OLD.second_factor_classes)
        IS DISTINCT FROM (NEW.audiences, NEW.jwks_url, NEW.jwks, NEW.algorithms, NEW.email_domains,
        NEW.second_factor_methods, NEW.second_factor_classes)) EXECUTE FUNCTION end_sessions_of_provider();

-- Each is good once. One that comes a second time was stolen, or its successor was: the whole session ends.
CREATE TABLE refresh_tokens (
    organization_id uuid NOT NULL,
    session_id uuid NOT NULL,
    number integer NOT NULL,
    token_hash bytea NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    CONSTRAINT refresh_tokens_pk PRIMARY KEY (organization_id, session_id, number),
    CONSTRAINT refresh_tokens_organization_fk FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id),
    CONSTRAINT refresh_tokens_session_fk FOREIGN KEY (organization_id, session_id)
        REFERENCES sessions (organization_id, id),
    CONSTRAINT refresh_tokens_token_hash_check CHECK (octet_length(token_hash) = 32)
);
CREATE UNIQUE INDEX refresh_tokens_token_hash_key ON refresh_tokens (token_hash);

-- The public halves of the keys that the service's own tokens are signed with. The private halves are nowhere but in
-- the memory of the replica that made them.
CREATE TABLE signing_keys (
    organization_id uuid NOT NULL,
    key_id text NOT NULL,
    public_key jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT signing_keys_pk PRIMARY KEY (organization_id, key_id),
    CONSTRAINT signing_keys_organization_fk FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id)
);

-- Who came in, and who was refused.
CREATE TABLE authentication_events (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    partner_id uuid,
    type text NOT NULL,
    reason text,
    api_key_id uuid,
    user_id uuid,
    identity_provider_id uuid,
    session_id uuid,
    subject text,
    address text,
    request_id uuid,
    -- Of a token from a provider: so that it is one login, however many replicas see it how often.
    token_hash bytea,
    occurred_at timestamptz NOT NULL,
    CONSTRAINT authentication_events_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT authentication_events_organization_fk FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id),
    CONSTRAINT authentication_events_type_check CHECK (type IN ('logged_in', 'session_created', 'session_refreshed',
        'session_revoked', 'refresh_token_reused', 'refused'))
);
CREATE UNIQUE INDEX authentication_events_token_hash_key ON authentication_events (organization_id, token_hash);
CREATE INDEX authentication_events_partner_index ON authentication_events (organization_id, partner_id, id);
CREATE INDEX authentication_events_user_index ON authentication_events (organization_id, user_id, id)
    WHERE user_id IS NOT NULL;
CREATE TRIGGER authentication_events_append_only BEFORE UPDATE OR DELETE ON authentication_events
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

SELECT protect_partner_table('identity_providers');
SELECT protect_partner_table('sessions');
SELECT protect_partner_table('authentication_events');
SELECT protect_organization_table('signing_keys');
ALTER TABLE identities ENABLE ROW LEVEL SECURITY;
CREATE POLICY organization_and_partner ON identities USING (organization_id = (SELECT scope_organization())
    AND EXISTS (SELECT FROM users u WHERE u.organization_id = identities.organization_id AND u.id = identities.user_id));
ALTER TABLE refresh_tokens ENABLE ROW LEVEL SECURITY;
CREATE POLICY organization_and_partner ON refresh_tokens USING (organization_id = (SELECT scope_organization())
    AND EXISTS (SELECT FROM sessions s
        WHERE s.organization_id = refresh_tokens.organization_id AND s.id = refresh_tokens.session_id));

GRANT SELECT, INSERT, UPDATE ON identity_providers, identities, sessions, refresh_tokens TO copartner_service;
GRANT SELECT, INSERT ON authentication_events TO copartner_service;
GRANT SELECT ON signing_keys TO copartner_service;

-- The same key with the same Idempotency-Key is another caller when it is confined to a partner.
ALTER TABLE idempotency_keys
    ADD COLUMN confined_to uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000';
UPDATE idempotency_keys i SET confined_to = k.partner_id FROM api_keys k
WHERE k.organization_id = i.organization_id AND k.id = i.actor_id AND k.partner_id IS NOT NULL;
ALTER TABLE idempotency_keys
    DROP CONSTRAINT idempotency_keys_pk,
    ADD CONSTRAINT idempotency_keys_pk PRIMARY KEY (organization_id, actor_id, confined_to, route, key);
ALTER POLICY own_keys ON idempotency_keys USING (organization_id = (SELECT scope_organization())
    AND actor_id = coalesce(nullif(current_setting('copartner.api_key_id', true), ''),
        nullif(current_setting('copartner.user_id', true), ''))::uuid
    AND confined_to = coalesce((SELECT scope_partner()), '00000000-0000-0000-0000-000000000000'));

-- By which session, and confined to which partner, somebody did something.
ALTER TABLE audit_events ADD COLUMN session_id uuid, ADD COLUMN confined_to uuid;

-- The caller's organization, asked by every policy once per statement. As before, and a session must not be revoked and
-- the identity provider must be active and as it was when the caller was let in.
CREATE OR REPLACE FUNCTION scope_organization() RETURNS uuid
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER AS
$$
DECLARE
    organization pg_catalog.uuid :=
        nullif(pg_catalog.current_setting('copartner.organization_id', true), '')::pg_catalog.uuid;
    person pg_catalog.uuid;
    of_key pg_catalog.int8 := 0;
    of_person pg_catalog.int8 := 0;
    of_provider pg_catalog.int8 := 0;
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
    IF pg_catalog.current_setting('copartner.session_id', true) <> '' THEN
        PERFORM 1 FROM public.sessions s
        WHERE s.organization_id = organization
            AND s.id = pg_catalog.current_setting('copartner.session_id', true)::pg_catalog.uuid
            AND (s.revoked_at IS NULL OR s.xmin = pg_catalog.pg_current_xact_id_if_assigned()::pg_catalog.xid);
        IF NOT FOUND THEN
            RAISE EXCEPTION 'the caller is no longer let in' USING ERRCODE = 'CP401';
        END IF;
    END IF;
    IF pg_catalog.current_setting('copartner.identity_provider_id', true) <> '' THEN
        SELECT CASE WHEN i.xmin = pg_catalog.pg_current_xact_id_if_assigned()::pg_catalog.xid THEN NULL
            ELSE i.access_version END INTO of_provider
        FROM public.identity_providers i
        WHERE i.organization_id = organization
            AND i.id = pg_catalog.current_setting('copartner.identity_provider_id', true)::pg_catalog.uuid
            AND (i.status = 'active' OR i.xmin = pg_catalog.pg_current_xact_id_if_assigned()::pg_catalog.xid);
        IF NOT FOUND THEN
            RAISE EXCEPTION 'the caller is no longer let in' USING ERRCODE = 'CP401';
        END IF;
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
    IF of_key + of_person + of_provider
        <> nullif(pg_catalog.current_setting('copartner.access_version', true), '')::pg_catalog.int8 THEN
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

-- The providers that may have issued a token; asked before any scope is known, therefore with the owner's rights.
CREATE FUNCTION identity_providers_of_token(token_issuer text, token_audiences text[], organization uuid)
    RETURNS TABLE (organization_id uuid, id uuid, partner_id uuid, jwks_url text, jwks jsonb, fetched_jwks jsonb,
        fetched_at timestamptz, algorithms text[], subject_claim text, email_claim text, name_claim text,
        partner_claim text, email_domains text[], accepts_unverified_email boolean, second_factor_methods text[],
        second_factor_classes text[], access_version bigint, is_active boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    SELECT i.organization_id, i.id, i.partner_id, i.jwks_url, i.jwks, i.fetched_jwks, i.fetched_at, i.algorithms,
        i.subject_claim, i.email_claim, i.name_claim, i.partner_claim, i.email_domains, i.accepts_unverified_email,
        i.second_factor_methods, i.second_factor_classes, i.access_version, i.status = 'active'
    FROM identity_providers i
    WHERE i.issuer = token_issuer AND i.audiences && token_audiences
        AND (organization IS NULL OR i.organization_id = organization)
    ORDER BY i.status, i.partner_id IS NOT NULL, i.created_at LIMIT 20
$$;

-- Keeps what was read at a provider's address.
CREATE FUNCTION keep_fetched_jwks(organization uuid, provider uuid, url text, jwks jsonb, read_at timestamptz)
    RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    UPDATE identity_providers i SET fetched_jwks = keep_fetched_jwks.jwks, fetched_at = read_at
    WHERE i.organization_id = organization AND i.id = provider AND i.jwks_url = url
$$;

-- Who somebody is who comes from a provider, and what they may do; no row when nobody here is known by that subject.
-- The login is noted once per token.
CREATE FUNCTION authenticate_identity(organization uuid, provider uuid, token_subject text, hash bytea, event uuid,
        from_address text, request uuid, at timestamptz)
    RETURNS TABLE (user_id uuid, is_active boolean, partner_id uuid, access_version bigint, built_in text[],
        permissions text[])
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
#variable_conflict use_column
DECLARE
    person users%ROWTYPE;
BEGIN
    SELECT u.* INTO person FROM identities n
    JOIN users u ON u.organization_id = n.organization_id AND u.id = n.user_id
    WHERE n.organization_id = organization AND n.identity_provider_id = provider AND n.subject = token_subject;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF person.status = 'active' THEN
        INSERT INTO authentication_events (organization_id, id, partner_id, type, user_id, identity_provider_id,
            subject, address, request_id, token_hash, occurred_at)
        VALUES (organization, event, person.partner_id, 'logged_in', person.id, provider, token_subject,
            from_address, request, hash, at)
        ON CONFLICT (organization_id, token_hash) DO NOTHING;
        IF FOUND THEN
            UPDATE identities n SET last_login_at = greatest(n.last_login_at, at)
            WHERE n.organization_id = organization AND n.identity_provider_id = provider
                AND n.subject = token_subject;
        END IF;
    END IF;
    RETURN QUERY SELECT person.id, person.status = 'active', person.partner_id,
        person.access_version + i.access_version, coalesce(r.built_in, '{}'), coalesce(r.permissions, '{}')
    FROM identity_providers i LEFT JOIN LATERAL rights_of_user(organization, person.id) r ON true
    WHERE i.organization_id = organization AND i.id = provider AND i.status = 'active';
END
$$;

-- Whose session this is and what it lets in; no row when it does not any more.
CREATE FUNCTION authenticate_session(organization uuid, session uuid)
    RETURNS TABLE (partner_id uuid, permissions text[], expires_at timestamptz, second_factor boolean,
        api_key_id uuid, key_permissions text[], allowed_networks text[], person_id uuid, identity_provider_id uuid,
        access_version bigint, built_in text[], person_permissions text[], is_lent boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    SELECT s.partner_id, s.permissions, least(s.expires_at, k.expires_at), s.second_factor, s.api_key_id,
        k.permissions, coalesce(k.allowed_networks, '{}'), coalesce(k.owner_id, s.user_id), s.identity_provider_id,
        coalesce(k.access_version, 0) + coalesce(r.access_version, 0) + coalesce(i.access_version, 0),
        coalesce(r.built_in, '{}'), coalesce(r.permissions, '{}'),
        s.partner_id IS NOT NULL AND coalesce(k.partner_id, u.partner_id) IS NULL
    FROM sessions s
    LEFT JOIN api_keys k ON k.organization_id = s.organization_id AND k.id = s.api_key_id AND k.revoked_at IS NULL
    LEFT JOIN identity_providers i ON i.organization_id = s.organization_id AND i.id = s.identity_provider_id
        AND i.status = 'active'
    LEFT JOIN users u ON u.organization_id = s.organization_id AND u.id = s.user_id
    LEFT JOIN LATERAL rights_of_user(s.organization_id, coalesce(k.owner_id, s.user_id)) r ON true
    WHERE s.organization_id = organization AND s.id = session AND s.revoked_at IS NULL
        AND (s.api_key_id IS NULL OR k.id IS NOT NULL)
        AND (s.identity_provider_id IS NULL OR i.id IS NOT NULL)
        AND (coalesce(k.owner_id, s.user_id) IS NULL OR r.access_version IS NOT NULL)
$$;

-- The session of a refresh token, used or not; asked before any scope is known.
CREATE FUNCTION session_of_refresh_token(hash bytea) RETURNS TABLE (organization_id uuid, session_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$ SELECT t.organization_id, t.session_id FROM refresh_tokens t WHERE t.token_hash = hash $$;

-- Puts the public half of a signing key where every replica and everybody else finds it, and clears away what no token
-- can be signed with any more.
CREATE FUNCTION publish_signing_key(organization uuid, key text, public_half jsonb, made_at timestamptz,
        ends_at timestamptz)
    RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
BEGIN
    DELETE FROM signing_keys k WHERE k.organization_id = organization AND k.expires_at < made_at;
    INSERT INTO signing_keys (organization_id, key_id, public_key, created_at, expires_at)
    VALUES (organization, key, public_half, made_at, ends_at);
END
$$;

CREATE FUNCTION published_signing_keys(organization uuid, at timestamptz)
    RETURNS TABLE (key_id text, public_key jsonb, expires_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    SELECT k.key_id, k.public_key, k.expires_at FROM signing_keys k
    WHERE k.organization_id = organization AND k.expires_at > at ORDER BY k.created_at DESC LIMIT 100
$$;

-- Notes that somebody was refused who is known by a key, a session or a provider. Without a reason it is found by what
-- stands in the way.
CREATE FUNCTION note_refusal(organization uuid, key uuid, session uuid, person uuid, provider uuid, why text,
        token_subject text, event uuid, from_address text, request uuid, at timestamptz)
    RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    INSERT INTO authentication_events (organization_id, id, partner_id, type, reason, api_key_id, user_id,
        identity_provider_id, session_id, subject, address, request_id, occurred_at)
    SELECT o.organization_id, event, p.id, 'refused',
        CASE WHEN why IS NOT NULL THEN why
            WHEN s.revoked_at IS NOT NULL THEN 'session_revoked'
            WHEN k.revoked_at IS NOT NULL THEN 'key_revoked'
            WHEN k.expires_at <= at THEN 'key_expired'
            WHEN i.status <> 'active' THEN 'provider_not_active'
            WHEN u.status <> 'active' THEN 'user_not_active'
            WHEN p.status IN ('suspended', 'terminated') THEN 'partner_not_active'
            WHEN s.expires_at <= at THEN 'token_expired'
            ELSE 'network_not_allowed' END,
        k.id, u.id, i.id, s.id, token_subject, from_address, request, at
    FROM organizations o
    LEFT JOIN sessions s ON s.organization_id = o.organization_id AND s.id = session
    LEFT JOIN api_keys k ON k.organization_id = o.organization_id AND k.id = coalesce(key, s.api_key_id)
    LEFT JOIN identity_providers i ON i.organization_id = o.organization_id
        AND i.id = coalesce(provider, s.identity_provider_id)
    LEFT JOIN identities n ON n.organization_id = o.organization_id AND n.identity_provider_id = i.id
        AND n.subject = token_subject
    LEFT JOIN users u ON u.organization_id = o.organization_id
        AND u.id = coalesce(person, s.user_id, k.owner_id, n.user_id)
    LEFT JOIN partners p ON p.organization_id = o.organization_id
        AND p.id = coalesce(s.partner_id, k.partner_id, u.partner_id, i.partner_id)
    WHERE o.organization_id = organization
$$;

-- The same for a secret that is not good any more.
CREATE FUNCTION note_refused_secret(hash bytea, event uuid, from_address text, request uuid, at timestamptz)
    RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    SELECT note_refusal(k.organization_id, k.id, NULL, NULL, NULL,
        CASE WHEN k.revoked_at IS NULL AND k.secret_hash <> hash AND k.previous_secret_until <= at
            THEN 'secret_replaced' END,
        NULL, event, from_address, request, at)
    FROM api_keys k WHERE k.secret_hash = hash OR k.previous_secret_hash = hash
$$;

-- Whether money leaves only by somebody who signed in with a second factor.
ALTER TABLE organizations ADD COLUMN second_factor_for_payouts boolean NOT NULL DEFAULT false;
