-- What terms may say beyond formula and plain conditions, what invoices must tell for it, and how far partners have come.

ALTER TABLE commission_rule_versions ADD COLUMN clauses jsonb NOT NULL DEFAULT '{}';

-- The first day of the service that is invoiced; without one it is the day of the invoice.
ALTER TABLE invoices ADD COLUMN service_starts_on date;

ALTER TABLE invoice_lines ADD COLUMN kind text NOT NULL DEFAULT 'product';
ALTER TABLE invoice_lines ADD COLUMN quantity numeric(19, 4) NOT NULL DEFAULT 1;
ALTER TABLE invoice_lines ADD COLUMN cost_amount numeric(19, 4);
ALTER TABLE invoice_lines ADD CONSTRAINT invoice_lines_kind_check CHECK (kind IN ('product', 'shipping', 'fee'));
ALTER TABLE invoice_lines ADD CONSTRAINT invoice_lines_quantity_check CHECK (quantity > 0);
ALTER TABLE invoice_lines ADD CONSTRAINT invoice_lines_cost_check CHECK (cost_amount >= 0);

-- How far a partner has come under a rule in a period: what tiers count, and what a cap leaves. One row is the lock
-- that lines of the rule, the partner and the period are worked out under, one transaction after another.
CREATE TABLE commission_standings (
    organization_id uuid NOT NULL,
    commission_rule_id uuid NOT NULL,
    partner_id uuid NOT NULL,
    currency text NOT NULL,
    -- The period by its first day, for example quarter:2026-04-01.
    period text NOT NULL,
    -- Net money received, less what was refunded; units; the exact sum behind what was rounded; what was posted, less
    -- what was taken back.
    volume numeric(19, 4) NOT NULL,
    units numeric(19, 4) NOT NULL,
    exact numeric(28, 10) NOT NULL,
    posted numeric(19, 4) NOT NULL,
    row_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT commission_standings_pk PRIMARY KEY (organization_id, commission_rule_id, partner_id, currency, period),
    CONSTRAINT commission_standings_organization_fk FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id),
    CONSTRAINT commission_standings_rule_fk FOREIGN KEY (organization_id, commission_rule_id)
        REFERENCES commission_rules (organization_id, id),
    CONSTRAINT commission_standings_partner_fk FOREIGN KEY (organization_id, partner_id)
        REFERENCES partners (organization_id, id),
    CONSTRAINT commission_standings_currency_check CHECK (currency ~ '^[A-Z]{3}$')
);
CREATE INDEX commission_standings_partner_index ON commission_standings (organization_id, partner_id);

SELECT protect_organization_table('commission_standings');
GRANT SELECT, INSERT, UPDATE ON commission_standings TO copartner_service;
