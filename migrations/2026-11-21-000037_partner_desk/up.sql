-- What waits for an answer is found without what was answered.
CREATE INDEX attributions_claimed_index ON attributions (organization_id, id) WHERE status = 'claimed';
CREATE INDEX enrollments_applied_index ON enrollments (organization_id, id) WHERE status = 'applied';
CREATE INDEX payout_methods_proposed_index ON payout_methods (organization_id, id) WHERE status = 'proposed';

-- Whom to talk to at a partner, and about what.
CREATE TABLE partner_contacts (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    partner_id uuid NOT NULL,
    name text NOT NULL,
    email text,
    phone text,
    job_title text,
    roles text[] NOT NULL,
    row_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT partner_contacts_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT partner_contacts_email_key UNIQUE (organization_id, partner_id, email),
    CONSTRAINT partner_contacts_organization_fk FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id),
    CONSTRAINT partner_contacts_partner_fk FOREIGN KEY (organization_id, partner_id)
        REFERENCES partners (organization_id, id),
    CONSTRAINT partner_contacts_role_check
        CHECK (roles <@ ARRAY['primary', 'billing', 'technical', 'sales', 'marketing', 'legal'])
);
CREATE INDEX partner_contacts_partner_index ON partner_contacts (organization_id, partner_id, id);
CREATE UNIQUE INDEX partner_contacts_primary_key ON partner_contacts (organization_id, partner_id)
    WHERE 'primary' = ANY (roles);
SELECT protect_partner_table('partner_contacts');
GRANT SELECT, INSERT, UPDATE, DELETE ON partner_contacts TO copartner_service;

-- Why a partner was declined, suspended or terminated, by code; and where its customers are.
ALTER TABLE partners
    ADD COLUMN status_reason_code text,
    ADD COLUMN territories text[] NOT NULL DEFAULT '{}',
    ADD CONSTRAINT partners_reason_code_check CHECK (status_reason_code IN ('not_a_fit', 'outside_territory',
        'incomplete_application', 'conflict_of_interest', 'missing_documents', 'overdue_payment', 'under_investigation',
        'breach_of_terms', 'inactive', 'ended_by_partner', 'company_closed', 'other'));
ALTER TABLE deal_rules ADD COLUMN respects_partner_territories boolean NOT NULL DEFAULT false;
