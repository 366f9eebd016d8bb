-- Programs, product families, pipeline stages, partners, enrollments, accounts.

CREATE TABLE programs (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    external_id text,
    name text NOT NULL,
    motion text NOT NULL,
    time_zone text NOT NULL,
    rounding text NOT NULL,
    commission_approval text NOT NULL,
    lock_point text NOT NULL,
    clawback_window_days integer,
    minimum_payouts jsonb NOT NULL,
    row_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT programs_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT programs_external_id_key UNIQUE (organization_id, external_id),
    CONSTRAINT programs_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id),
    CONSTRAINT programs_motion_check
        CHECK (motion IN ('referral', 'co_sell', 'agency', 'integration', 'reseller', 'affiliate')),
    CONSTRAINT programs_rounding_check CHECK (rounding IN ('half_up', 'half_even')),
    CONSTRAINT programs_commission_approval_check CHECK (commission_approval IN ('automatic', 'manual')),
    CONSTRAINT programs_lock_point_check CHECK (lock_point IN ('deal_won', 'invoice_paid')),
    CONSTRAINT programs_clawback_window_days_check CHECK (clawback_window_days BETWEEN 0 AND 3650)
);

CREATE TABLE product_families (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    external_id text,
    name text NOT NULL,
    row_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT product_families_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT product_families_external_id_key UNIQUE (organization_id, external_id),
    CONSTRAINT product_families_organization_fk FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id)
);

CREATE TABLE pipeline_stages (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    external_id text,
    name text NOT NULL,
    position integer NOT NULL,
    row_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT pipeline_stages_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT pipeline_stages_external_id_key UNIQUE (organization_id, external_id),
    CONSTRAINT pipeline_stages_position_key UNIQUE (organization_id, position) DEFERRABLE INITIALLY IMMEDIATE,
    CONSTRAINT pipeline_stages_organization_fk FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id),
    CONSTRAINT pipeline_stages_position_check CHECK (position BETWEEN 1 AND 1000)
);

CREATE TABLE partners (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    external_id text,
    parent_id uuid,
    name text NOT NULL,
    status text NOT NULL,
    status_reason text,
    domain text,
    country text,
    approved_at timestamptz,
    terminated_at timestamptz,
    row_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT partners_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT partners_external_id_key UNIQUE (organization_id, external_id),
    CONSTRAINT partners_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id),
    CONSTRAINT partners_parent_fk FOREIGN KEY (organization_id, parent_id) REFERENCES partners (organization_id, id),
    CONSTRAINT partners_parent_check CHECK (parent_id <> id),
    CONSTRAINT partners_status_check
        CHECK (status IN ('applied', 'approved', 'declined', 'suspended', 'terminated')),
    CONSTRAINT partners_country_check CHECK (country ~ '^[A-Z]{2}$')
);
CREATE INDEX partners_parent_index ON partners (organization_id, parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX partners_status_index ON partners (organization_id, status, id);
CREATE INDEX partners_name_index ON partners (organization_id, name, id);

ALTER TABLE api_keys ADD CONSTRAINT api_keys_partner_fk
    FOREIGN KEY (organization_id, partner_id) REFERENCES partners (organization_id, id);

CREATE TABLE enrollments (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    external_id text,
    partner_id uuid NOT NULL,
    program_id uuid NOT NULL,
    status text NOT NULL,
    status_reason text,
    tier text,
    terms_version text,
    activated_at timestamptz,
    ended_at timestamptz,
    row_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT enrollments_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT enrollments_external_id_key UNIQUE (organization_id, external_id),
    CONSTRAINT enrollments_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id),
    CONSTRAINT enrollments_partner_fk FOREIGN KEY (organization_id, partner_id)
        REFERENCES partners (organization_id, id),
    CONSTRAINT enrollments_program_fk FOREIGN KEY (organization_id, program_id)
        REFERENCES programs (organization_id, id),
    CONSTRAINT enrollments_status_check CHECK (status IN ('applied', 'active', 'paused', 'ended'))
);
-- A partner is in a program once at a time; an ended enrollment stays as history.
CREATE UNIQUE INDEX enrollments_partner_program_key ON enrollments (organization_id, partner_id, program_id)
    WHERE status <> 'ended';
CREATE INDEX enrollments_partner_index ON enrollments (organization_id, partner_id, id);
CREATE INDEX enrollments_program_index ON enrollments (organization_id, program_id, id);

CREATE TABLE accounts (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    external_id text,
    name text NOT NULL,
    domain text,
    country text,
    row_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT accounts_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT accounts_external_id_key UNIQUE (organization_id, external_id),
    CONSTRAINT accounts_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id),
    CONSTRAINT accounts_country_check CHECK (country ~ '^[A-Z]{2}$')
);
CREATE INDEX accounts_name_index ON accounts (organization_id, name, id);
CREATE INDEX accounts_domain_index ON accounts (organization_id, domain) WHERE domain IS NOT NULL;

SELECT protect_shared_table('programs', 'EXISTS (SELECT FROM enrollments e WHERE e.organization_id ='
    ' programs.organization_id AND e.program_id = programs.id AND e.partner_id = (SELECT scope_partner()))');
SELECT protect_shared_table('product_families', 'true');
SELECT protect_shared_table('pipeline_stages', 'true');
SELECT protect_shared_table('partners', 'id = (SELECT scope_partner())');
SELECT protect_shared_table('enrollments', 'partner_id = (SELECT scope_partner())');

GRANT SELECT, INSERT, UPDATE ON programs, product_families, pipeline_stages, partners, enrollments, accounts
    TO copartner_service;
