-- Deal registrations: a partner claims an account and a product family for a time.

-- A family as a range, so that one range operator tells whether two claims meet: no family is the range of all of them.
CREATE TYPE uuidrange AS RANGE (subtype = uuid);
GRANT USAGE ON TYPE uuidrange TO copartner_service;

CREATE TABLE deal_registrations (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    external_id text,
    partner_id uuid NOT NULL,
    program_id uuid NOT NULL,
    account_id uuid NOT NULL,
    product_family_id uuid,
    amount numeric(19, 4) NOT NULL,
    currency text NOT NULL,
    -- What is said of the opportunity, which nothing is looked for by: names, days, the program's form, attachments.
    claim jsonb NOT NULL,
    hidden_from_parent boolean NOT NULL,
    status text NOT NULL,
    reason_code text,
    reason text,
    submitted_at timestamptz,
    respond_by timestamptz,
    sla_breached_at timestamptz,
    decided_at timestamptz,
    protection_days integer,
    protection_starts text,
    protected_from timestamptz,
    protected_until timestamptz,
    paused_seconds bigint NOT NULL,
    remind_at timestamptz,
    closed_at timestamptz,
    deal_id uuid,
    registrar_id uuid,
    created_by uuid NOT NULL,
    created_by_type text NOT NULL,
    row_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT deal_registrations_pk PRIMARY KEY (organization_id, id),
    -- Of a partner: whether another one has such a key is nobody's business.
    CONSTRAINT deal_registrations_external_id_key UNIQUE (organization_id, partner_id, external_id),
    CONSTRAINT deal_registrations_organization_fk FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id),
    CONSTRAINT deal_registrations_partner_fk FOREIGN KEY (organization_id, partner_id)
        REFERENCES partners (organization_id, id),
    CONSTRAINT deal_registrations_program_fk FOREIGN KEY (organization_id, program_id)
        REFERENCES programs (organization_id, id),
    CONSTRAINT deal_registrations_account_fk FOREIGN KEY (organization_id, account_id)
        REFERENCES accounts (organization_id, id),
    CONSTRAINT deal_registrations_product_family_fk FOREIGN KEY (organization_id, product_family_id)
        REFERENCES product_families (organization_id, id),
    CONSTRAINT deal_registrations_registrar_fk FOREIGN KEY (organization_id, registrar_id)
        REFERENCES partners (organization_id, id),
    CONSTRAINT deal_registrations_deal_fk FOREIGN KEY (organization_id, deal_id) REFERENCES deals (organization_id, id),
    CONSTRAINT deal_registrations_status_check CHECK (status IN ('draft', 'submitted', 'in_review', 'action_required',
        'approved', 'rejected', 'withdrawn', 'converted', 'lost', 'expired', 'revoked')),
    CONSTRAINT deal_registrations_protection_starts_check CHECK (protection_starts IN ('submission', 'approval')),
    CONSTRAINT deal_registrations_currency_check CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT deal_registrations_created_by_type_check CHECK (created_by_type IN ('api_key', 'user')),
    -- What is protected says from when to when, and for which deal.
    CONSTRAINT deal_registrations_protection_check CHECK (
        CASE WHEN status IN ('approved', 'converted', 'lost', 'expired', 'revoked')
            THEN num_nonnulls(protected_from, protected_until, deal_id) = 3 AND protected_from <= protected_until
            ELSE protected_from IS NULL AND protected_until IS NULL END),
    -- Exclusivity: no two approved claims to one account meet in family and time, however they came to be approved.
    CONSTRAINT deal_registrations_protection_key EXCLUDE USING gist (
        organization_id WITH =, account_id WITH =,
        uuidrange(product_family_id, product_family_id, '[]') WITH &&,
        tstzrange(protected_from, protected_until) WITH &&) WHERE (status = 'approved')
);
CREATE INDEX deal_registrations_partner_index ON deal_registrations (organization_id, partner_id, id);
CREATE INDEX deal_registrations_program_index ON deal_registrations (organization_id, program_id, id);
CREATE INDEX deal_registrations_account_index ON deal_registrations (organization_id, account_id, id);
CREATE INDEX deal_registrations_product_family_index ON deal_registrations (organization_id, product_family_id)
    WHERE product_family_id IS NOT NULL;
CREATE INDEX deal_registrations_registrar_index ON deal_registrations (organization_id, registrar_id)
    WHERE registrar_id IS NOT NULL;
CREATE INDEX deal_registrations_deal_index ON deal_registrations (organization_id, deal_id) WHERE deal_id IS NOT NULL;
CREATE INDEX deal_registrations_status_index ON deal_registrations (organization_id, status, id);
-- What the worker looks for: what ends, what is to be announced, and what waits for an answer.
CREATE INDEX deal_registrations_remind_index ON deal_registrations (organization_id, remind_at)
    WHERE status = 'approved' AND remind_at IS NOT NULL;
CREATE INDEX deal_registrations_ending_index ON deal_registrations (organization_id, protected_until)
    WHERE status = 'approved';
CREATE INDEX deal_registrations_waiting_index ON deal_registrations (organization_id, respond_by)
    WHERE status IN ('submitted', 'in_review') AND sla_breached_at IS NULL;

-- A claim moves along its life cycle only.
CREATE FUNCTION guard_deal_registration() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
    IF OLD.status <> NEW.status AND (OLD.status, NEW.status) NOT IN (
        ('draft', 'submitted'), ('draft', 'withdrawn'),
        ('submitted', 'in_review'), ('submitted', 'approved'), ('submitted', 'rejected'),
        ('submitted', 'action_required'), ('submitted', 'withdrawn'),
        ('in_review', 'approved'), ('in_review', 'rejected'), ('in_review', 'action_required'),
        ('in_review', 'withdrawn'),
        ('action_required', 'submitted'), ('action_required', 'withdrawn'), ('action_required', 'rejected'),
        ('approved', 'converted'), ('approved', 'lost'), ('approved', 'expired'), ('approved', 'revoked')) THEN
        RAISE EXCEPTION 'a deal registration cannot move from % to %', OLD.status, NEW.status USING ERRCODE = 'CP002';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER deal_registrations_guard BEFORE UPDATE ON deal_registrations
    FOR EACH ROW EXECUTE FUNCTION guard_deal_registration();

-- What is said about a claim: to the partner, or among the organization's own people.
CREATE TABLE registration_comments (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    deal_registration_id uuid NOT NULL,
    visibility text NOT NULL,
    body text NOT NULL,
    created_by uuid NOT NULL,
    created_by_type text NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT registration_comments_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT registration_comments_organization_fk FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id),
    CONSTRAINT registration_comments_deal_registration_fk FOREIGN KEY (organization_id, deal_registration_id)
        REFERENCES deal_registrations (organization_id, id),
    CONSTRAINT registration_comments_visibility_check CHECK (visibility IN ('partner', 'internal')),
    CONSTRAINT registration_comments_created_by_type_check CHECK (created_by_type IN ('api_key', 'user'))
);
CREATE INDEX registration_comments_deal_registration_index
    ON registration_comments (organization_id, deal_registration_id, id);

-- A partner asks for more time, with evidence.
CREATE TABLE registration_extensions (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    deal_registration_id uuid NOT NULL,
    status text NOT NULL,
    reason text,
    evidence text NOT NULL,
    respond_by timestamptz,
    decided_at timestamptz,
    created_by uuid NOT NULL,
    created_by_type text NOT NULL,
    row_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT registration_extensions_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT registration_extensions_organization_fk FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id),
    CONSTRAINT registration_extensions_deal_registration_fk FOREIGN KEY (organization_id, deal_registration_id)
        REFERENCES deal_registrations (organization_id, id),
    CONSTRAINT registration_extensions_status_check CHECK (status IN ('requested', 'approved', 'refused')),
    CONSTRAINT registration_extensions_created_by_type_check CHECK (created_by_type IN ('api_key', 'user'))
);
CREATE INDEX registration_extensions_deal_registration_index
    ON registration_extensions (organization_id, deal_registration_id, id);
-- One question at a time.
CREATE UNIQUE INDEX registration_extensions_requested_key
    ON registration_extensions (organization_id, deal_registration_id) WHERE status = 'requested';

-- How often a partner asked in an hour how an account stands.
CREATE TABLE registration_prechecks (
    organization_id uuid NOT NULL,
    partner_id uuid NOT NULL,
    hour timestamptz NOT NULL,
    asked integer NOT NULL,
    CONSTRAINT registration_prechecks_pk PRIMARY KEY (organization_id, partner_id),
    CONSTRAINT registration_prechecks_organization_fk FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id),
    CONSTRAINT registration_prechecks_partner_fk FOREIGN KEY (organization_id, partner_id)
        REFERENCES partners (organization_id, id)
);

-- What a partner sees of what hangs on a claim. A function for the reason that is given with partner_sees_deal.
CREATE FUNCTION partner_sees_registration(registration uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER AS
$$
DECLARE
    organization pg_catalog.uuid :=
        nullif(pg_catalog.current_setting('copartner.organization_id', true), '')::pg_catalog.uuid;
BEGIN
    RETURN EXISTS (
        SELECT FROM public.deal_registrations r
        WHERE r.organization_id = organization AND r.id = registration
            AND (r.partner_id = public.scope_partner()
                OR NOT r.hidden_from_parent AND public.partner_sees_partner(r.partner_id)));
END
$$;

SELECT protect_shared_table('deal_registrations', 'partner_id = (SELECT scope_partner())'
    ' OR NOT hidden_from_parent AND partner_sees_partner(partner_id)');
-- What is internal is nobody's but the organization's, whoever may see the claim.
SELECT protect_shared_table('registration_comments',
    'visibility = ''partner'' AND partner_sees_registration(deal_registration_id)');
SELECT protect_shared_table('registration_extensions', 'partner_sees_registration(deal_registration_id)');
SELECT protect_organization_table('registration_prechecks');

GRANT SELECT, INSERT, UPDATE ON deal_registrations, registration_extensions, registration_prechecks
    TO copartner_service;
GRANT SELECT, INSERT ON registration_comments TO copartner_service;

-- Which organizations have claims that end, remind, or wait too long for an answer.
CREATE FUNCTION organizations_with_registrations_due(at timestamptz) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    SELECT o.organization_id FROM organizations o
    WHERE EXISTS (SELECT FROM deal_registrations r WHERE r.organization_id = o.organization_id
            AND r.status = 'approved' AND r.protected_until <= at
            AND NOT EXISTS (SELECT FROM registration_extensions e WHERE e.organization_id = r.organization_id
                AND e.deal_registration_id = r.id AND e.status = 'requested'
                AND e.respond_by < r.protected_until))
        OR EXISTS (SELECT FROM deal_registrations r WHERE r.organization_id = o.organization_id
            AND r.status = 'approved' AND r.remind_at <= at)
        OR EXISTS (SELECT FROM deal_registrations r WHERE r.organization_id = o.organization_id
            AND r.status IN ('submitted', 'in_review') AND r.sla_breached_at IS NULL AND r.respond_by < at)
$$;
