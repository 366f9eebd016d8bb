-- What corrections of credit take of the cap of a period, beside what lines posted: in all, which is what lines that
-- come later find taken, and by credit, so that a credit that is corrected again gives back what it took.
ALTER TABLE commission_standings ADD COLUMN corrected numeric(19, 4) NOT NULL DEFAULT 0;

CREATE TABLE commission_standing_corrections (
    organization_id uuid NOT NULL,
    attribution_id uuid NOT NULL,
    commission_rule_id uuid NOT NULL,
    partner_id uuid NOT NULL,
    currency text NOT NULL,
    period text NOT NULL,
    amount numeric(19, 4) NOT NULL,
    row_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT commission_standing_corrections_pk
        PRIMARY KEY (organization_id, attribution_id, commission_rule_id, partner_id, currency, period),
    CONSTRAINT commission_standing_corrections_organization_fk FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id),
    CONSTRAINT commission_standing_corrections_attribution_fk FOREIGN KEY (organization_id, attribution_id)
        REFERENCES attributions (organization_id, id),
    CONSTRAINT commission_standing_corrections_standing_fk
        FOREIGN KEY (organization_id, commission_rule_id, partner_id, currency, period)
        REFERENCES commission_standings (organization_id, commission_rule_id, partner_id, currency, period),
    CONSTRAINT commission_standing_corrections_amount_check CHECK (amount >= 0)
);
CREATE INDEX commission_standing_corrections_standing_index ON commission_standing_corrections
    (organization_id, commission_rule_id, partner_id, currency, period);

SELECT protect_organization_table('commission_standing_corrections');
GRANT SELECT, INSERT, UPDATE ON commission_standing_corrections TO copartner_service;
