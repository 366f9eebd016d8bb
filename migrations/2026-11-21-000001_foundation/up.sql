-- Extensions, the service's role, the caller's scope, and the tables that every room uses.

CREATE EXTENSION IF NOT EXISTS btree_gist;

-- The service runs as this role: it owns nothing and cannot bypass row-level security.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'copartner_service') THEN
        CREATE ROLE copartner_service NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE LOGIN;
    END IF;
    -- Where the service comes with the owner's login it steps down to this role (SET ROLE), which takes membership.
    IF NOT pg_has_role(current_user, 'copartner_service', 'MEMBER') THEN
        EXECUTE format('GRANT copartner_service TO %I', current_user);
    END IF;
END
$$;

GRANT USAGE ON SCHEMA public TO copartner_service;

CREATE TABLE organizations (
    organization_id uuid NOT NULL,
    name text NOT NULL,
    mode text NOT NULL,
    time_zone text NOT NULL,
    default_currency text NOT NULL,
    dormant_after_days integer NOT NULL,
    row_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT organizations_pk PRIMARY KEY (organization_id),
    CONSTRAINT organizations_mode_check CHECK (mode IN ('live', 'sandbox')),
    CONSTRAINT organizations_dormant_after_days_check CHECK (dormant_after_days BETWEEN 1 AND 3650),
    CONSTRAINT organizations_default_currency_check CHECK (default_currency ~ '^[A-Z]{3}$')
);

CREATE TABLE api_keys (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    partner_id uuid,
    name text NOT NULL,
    prefix text NOT NULL,
    secret_hash bytea NOT NULL,
    permissions text[] NOT NULL,
    created_by uuid,
    expires_at timestamptz,
    revoked_at timestamptz,
    row_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT api_keys_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT api_keys_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id),
    CONSTRAINT api_keys_secret_hash_check CHECK (octet_length(secret_hash) = 32)
);
-- A caller is known by the key's hash before the organization is known, so this one index leads with the hash.
CREATE UNIQUE INDEX api_keys_secret_hash_key ON api_keys (secret_hash);
CREATE INDEX api_keys_partner_index ON api_keys (organization_id, partner_id) WHERE partner_id IS NOT NULL;

-- The caller's organization. Every policy asks it once per statement. When the caller came with an API key, the key
-- must still be good at this very statement: a revoked key is refused by Postgres itself, whatever a cache remembers.
-- A key that revokes itself is good until the end of that transaction, which has yet to write what happened.
CREATE FUNCTION scope_organization() RETURNS uuid
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
DECLARE
    organization uuid := nullif(current_setting('copartner.organization_id', true), '')::uuid;
    api_key uuid := nullif(current_setting('copartner.api_key_id', true), '')::uuid;
    partner uuid := nullif(current_setting('copartner.partner_id', true), '')::uuid;
BEGIN
    IF api_key IS NOT NULL THEN
        PERFORM 1 FROM api_keys k
        WHERE k.organization_id = organization AND k.id = api_key
            AND (k.revoked_at IS NULL OR k.xmin = pg_current_xact_id_if_assigned()::xid);
        IF NOT FOUND THEN
            RAISE EXCEPTION 'the API key is no longer valid' USING ERRCODE = 'CP401';
        END IF;
    END IF;
    IF partner IS NOT NULL THEN
        PERFORM 1 FROM partners p
        WHERE p.organization_id = organization AND p.id = partner AND p.status IN ('suspended', 'terminated');
        IF FOUND THEN
            RAISE EXCEPTION 'the API key is no longer valid' USING ERRCODE = 'CP401';
        END IF;
    END IF;
    RETURN organization;
END
$$;

-- The partner to which the caller is confined; NULL for the organization's own callers.
CREATE FUNCTION scope_partner() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT nullif(current_setting('copartner.partner_id', true), '')::uuid $$;

-- Who holds this secret? Asked before any scope is known, therefore with the owner's rights.
CREATE FUNCTION authenticate_api_key(hash bytea)
    RETURNS TABLE (organization_id uuid, id uuid, partner_id uuid, permissions text[], expires_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    SELECT k.organization_id, k.id, k.partner_id, k.permissions, k.expires_at
    FROM api_keys k WHERE k.secret_hash = hash AND k.revoked_at IS NULL
$$;

-- Used by the first start only: is there any organization yet?
CREATE FUNCTION any_organization() RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$ SELECT EXISTS (SELECT FROM organizations) $$;

-- Every organization; for the check of the books, which goes through all of them.
CREATE FUNCTION all_organizations() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$ SELECT organization_id FROM organizations ORDER BY organization_id $$;

CREATE TABLE idempotency_keys (
    organization_id uuid NOT NULL,
    actor_id uuid NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    request_hash bytea NOT NULL,
    answer_status integer,
    answer_headers jsonb,
    answer_body bytea,
    created_at timestamptz NOT NULL,
    CONSTRAINT idempotency_keys_pk PRIMARY KEY (organization_id, actor_id, route, key),
    CONSTRAINT idempotency_keys_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id)
);
CREATE INDEX idempotency_keys_created_index ON idempotency_keys (created_at);

-- Forgets the answers of every organization that were kept before this instant.
CREATE FUNCTION forget_answers(before timestamptz) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    WITH gone AS (DELETE FROM idempotency_keys WHERE created_at < before RETURNING 1)
    SELECT count(*) FROM gone
$$;

-- What happened. Writers insert without a number and never wait for one another; the sequencer numbers what is
-- committed, in order and without gaps, and only numbered events can be read.
CREATE TABLE events (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    written_order bigint GENERATED ALWAYS AS IDENTITY,
    sequence bigint,
    type text NOT NULL,
    subject_type text NOT NULL,
    subject_id uuid NOT NULL,
    partner_id uuid,
    data jsonb NOT NULL,
    occurred_at timestamptz NOT NULL,
    CONSTRAINT events_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT events_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id)
);
CREATE UNIQUE INDEX events_sequence_key ON events (organization_id, sequence) WHERE sequence IS NOT NULL;
CREATE INDEX events_unsequenced_index ON events (organization_id, written_order) WHERE sequence IS NULL;

CREATE TABLE event_counters (
    organization_id uuid NOT NULL,
    last_sequence bigint NOT NULL,
    CONSTRAINT event_counters_pk PRIMARY KEY (organization_id),
    CONSTRAINT event_counters_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id)
);

-- Numbers up to `most` committed events of the caller's organization and returns how many. One sequencer at a time
-- per organization: the counter row is its lock, and it is taken before the events are looked at, so that the
-- statement that follows sees everything the previous sequencer and every finished writer left.
CREATE FUNCTION sequence_events(most integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
DECLARE
    organization uuid := scope_organization();
    start bigint;
    numbered integer;
BEGIN
    SELECT c.last_sequence INTO start FROM event_counters c WHERE c.organization_id = organization FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    WITH batch AS (
        SELECT e.id, row_number() OVER (ORDER BY e.written_order) AS position
        FROM (
            SELECT id, written_order FROM events
            WHERE organization_id = organization AND sequence IS NULL
            ORDER BY written_order LIMIT most
        ) e
    )
    UPDATE events SET sequence = start + batch.position
    FROM batch WHERE events.organization_id = organization AND events.id = batch.id;
    GET DIAGNOSTICS numbered = ROW_COUNT;
    IF numbered > 0 THEN
        UPDATE event_counters SET last_sequence = start + numbered WHERE organization_id = organization;
    END IF;
    RETURN numbered;
END
$$;

-- The organizations in which the sequencer has something to do; for the worker, which serves all of them.
CREATE FUNCTION organizations_with_unsequenced_events() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    SELECT c.organization_id FROM event_counters c
    WHERE EXISTS (SELECT FROM events e WHERE e.organization_id = c.organization_id AND e.sequence IS NULL)
$$;

CREATE TABLE audit_events (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    written_order bigint GENERATED ALWAYS AS IDENTITY,
    action text NOT NULL,
    subject_type text NOT NULL,
    subject_id uuid NOT NULL,
    actor_type text NOT NULL,
    actor_id uuid,
    changes jsonb NOT NULL,
    reason text,
    request_id uuid,
    address text,
    occurred_at timestamptz NOT NULL,
    CONSTRAINT audit_events_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT audit_events_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id),
    CONSTRAINT audit_events_actor_type_check CHECK (actor_type IN ('api_key', 'system'))
);
CREATE INDEX audit_events_subject_index ON audit_events (organization_id, subject_id, id);
CREATE INDEX audit_events_actor_index ON audit_events (organization_id, actor_id, id);

-- Append-only tables refuse every change, whoever asks.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'CP001';
END
$$;
CREATE TRIGGER audit_events_append_only BEFORE UPDATE OR DELETE ON audit_events
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- An event may be numbered once; nothing else about it ever changes.
CREATE FUNCTION guard_event() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.sequence IS NULL AND NEW.sequence IS NOT NULL
        AND (to_jsonb(OLD) - 'sequence') = (to_jsonb(NEW) - 'sequence') THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'events is append-only' USING ERRCODE = 'CP001';
END
$$;
CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE ON events
    FOR EACH ROW EXECUTE FUNCTION guard_event();

-- The organization's own tables: only its own callers see them, never a partner.
CREATE FUNCTION protect_organization_table(name regclass) RETURNS void LANGUAGE plpgsql AS
$$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format(
        'CREATE POLICY organization_only ON %s USING (organization_id = (SELECT scope_organization())'
        ' AND (SELECT scope_partner()) IS NULL)', name);
END
$$;

-- Tables that a partner may read in part: `visible` says which rows are its own. Writing stays with the organization.
CREATE FUNCTION protect_shared_table(name regclass, visible text) RETURNS void LANGUAGE plpgsql AS
$$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format(
        'CREATE POLICY organization_and_partner ON %s USING (organization_id = (SELECT scope_organization())'
        ' AND ((SELECT scope_partner()) IS NULL OR %s))'
        ' WITH CHECK (organization_id = (SELECT scope_organization()) AND (SELECT scope_partner()) IS NULL)',
        name, visible);
END
$$;

SELECT protect_shared_table('organizations', 'true');
SELECT protect_shared_table('api_keys', 'id = nullif(current_setting(''copartner.api_key_id'', true), '''')::uuid');
SELECT protect_organization_table('event_counters');
SELECT protect_organization_table('audit_events');
SELECT protect_shared_table('events', 'partner_id = (SELECT scope_partner())');
ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_keys ON idempotency_keys USING (organization_id = (SELECT scope_organization())
    AND actor_id = nullif(current_setting('copartner.api_key_id', true), '')::uuid);

GRANT SELECT, INSERT, UPDATE ON organizations, api_keys TO copartner_service;
GRANT SELECT, INSERT ON idempotency_keys TO copartner_service;
GRANT SELECT, INSERT ON events, audit_events, event_counters TO copartner_service;
