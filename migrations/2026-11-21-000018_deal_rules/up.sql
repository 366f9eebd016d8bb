-- The deal rules of a program: one row once somebody changed one, defaults before that.

CREATE TABLE deal_rules (
    organization_id uuid NOT NULL,
    program_id uuid NOT NULL,
    qualification_fields jsonb NOT NULL,
    minimum_deal_sizes jsonb NOT NULL,
    existing_accounts text NOT NULL,
    protection_days integer NOT NULL,
    protection_starts text NOT NULL,
    extensions_allowed integer NOT NULL,
    extension_days integer NOT NULL,
    maximum_open_registrations integer,
    countries text[] NOT NULL,
    excluded_countries text[] NOT NULL,
    product_family_ids uuid[] NOT NULL,
    referral_expiry_days integer NOT NULL,
    response_business_hours integer,
    working_days text[] NOT NULL,
    opens_at text NOT NULL,
    closes_at text NOT NULL,
    holidays date[] NOT NULL,
    second_registrant text NOT NULL,
    excludes_public_tenders boolean NOT NULL,
    reminder_days integer[] NOT NULL,
    attribution_window_days integer NOT NULL,
    attribution_click text NOT NULL,
    row_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT deal_rules_pk PRIMARY KEY (organization_id, program_id),
    CONSTRAINT deal_rules_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id),
    CONSTRAINT deal_rules_program_fk FOREIGN KEY (organization_id, program_id) REFERENCES programs (organization_id, id),
    CONSTRAINT deal_rules_existing_accounts_check CHECK (existing_accounts IN ('allow', 'review', 'refuse')),
    CONSTRAINT deal_rules_protection_check CHECK (protection_days BETWEEN 1 AND 3650),
    CONSTRAINT deal_rules_protection_starts_check CHECK (protection_starts IN ('submission', 'approval')),
    CONSTRAINT deal_rules_extensions_check
        CHECK (extensions_allowed BETWEEN 0 AND 20 AND extension_days BETWEEN 1 AND 3650),
    CONSTRAINT deal_rules_open_registrations_check CHECK (maximum_open_registrations BETWEEN 1 AND 100000),
    CONSTRAINT deal_rules_referral_expiry_check CHECK (referral_expiry_days BETWEEN 1 AND 3650),
    CONSTRAINT deal_rules_response_check CHECK (response_business_hours BETWEEN 1 AND 1000),
    CONSTRAINT deal_rules_working_days_check CHECK (cardinality(working_days) BETWEEN 1 AND 7),
    CONSTRAINT deal_rules_hours_check CHECK (opens_at < closes_at),
    CONSTRAINT deal_rules_second_registrant_check
        CHECK (second_registrant IN ('refuse', 'queue', 'co_sell_share')),
    CONSTRAINT deal_rules_attribution_check CHECK (attribution_window_days BETWEEN 1 AND 730
        AND attribution_click IN ('first_click', 'last_click'))
);

-- Whoever sees a program sees its rules.
SELECT protect_shared_table('deal_rules', 'partner_sees_program(program_id)');
GRANT SELECT, INSERT, UPDATE ON deal_rules TO copartner_service;
