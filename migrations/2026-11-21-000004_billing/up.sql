-- Revenue events from billing. Only money received earns commission.

CREATE TABLE invoices (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    external_id text,
    deal_id uuid NOT NULL,
    status text NOT NULL,
    status_reason text,
    currency text NOT NULL,
    total_amount numeric(19, 4) NOT NULL,
    net_amount numeric(19, 4) NOT NULL,
    paid_amount numeric(19, 4) NOT NULL,
    refunded_amount numeric(19, 4) NOT NULL,
    -- What credit notes took off the unpaid part; what they took back of payments is in refunded_amount.
    credited_amount numeric(19, 4) NOT NULL,
    issued_on date NOT NULL,
    due_on date,
    row_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT invoices_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT invoices_external_id_key UNIQUE (organization_id, external_id),
    CONSTRAINT invoices_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id),
    CONSTRAINT invoices_deal_fk FOREIGN KEY (organization_id, deal_id) REFERENCES deals (organization_id, id),
    CONSTRAINT invoices_status_check CHECK (status IN ('open', 'partially_paid', 'paid', 'void')),
    CONSTRAINT invoices_currency_check CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT invoices_amounts_check CHECK (net_amount >= 0 AND total_amount >= net_amount
        AND paid_amount >= 0 AND credited_amount >= 0 AND paid_amount + credited_amount <= total_amount
        AND refunded_amount BETWEEN 0 AND paid_amount)
);
CREATE INDEX invoices_deal_index ON invoices (organization_id, deal_id, id);
CREATE INDEX invoices_status_index ON invoices (organization_id, status, id);

CREATE TABLE invoice_lines (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    invoice_id uuid NOT NULL,
    position integer NOT NULL,
    product_family_id uuid,
    description text,
    net_amount numeric(19, 4) NOT NULL,
    tax_amount numeric(19, 4) NOT NULL,
    CONSTRAINT invoice_lines_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT invoice_lines_position_key UNIQUE (organization_id, invoice_id, position),
    CONSTRAINT invoice_lines_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id),
    CONSTRAINT invoice_lines_invoice_fk FOREIGN KEY (organization_id, invoice_id)
        REFERENCES invoices (organization_id, id),
    CONSTRAINT invoice_lines_product_family_fk FOREIGN KEY (organization_id, product_family_id)
        REFERENCES product_families (organization_id, id),
    CONSTRAINT invoice_lines_amounts_check CHECK (net_amount >= 0 AND tax_amount >= 0)
);
CREATE INDEX invoice_lines_product_family_index ON invoice_lines (organization_id, product_family_id)
    WHERE product_family_id IS NOT NULL;

CREATE TABLE payments (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    external_id text,
    invoice_id uuid NOT NULL,
    currency text NOT NULL,
    amount numeric(19, 4) NOT NULL,
    -- What had been paid on the invoice when this payment was recorded, itself included: its place in the cumulation.
    cumulative_amount numeric(19, 4) NOT NULL,
    refunded_amount numeric(19, 4) NOT NULL,
    paid_at timestamptz NOT NULL,
    row_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT payments_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT payments_external_id_key UNIQUE (organization_id, external_id),
    CONSTRAINT payments_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id),
    CONSTRAINT payments_invoice_fk FOREIGN KEY (organization_id, invoice_id)
        REFERENCES invoices (organization_id, id),
    CONSTRAINT payments_amounts_check CHECK (amount >= 0 AND cumulative_amount >= amount
        AND refunded_amount BETWEEN 0 AND amount)
);
CREATE INDEX payments_invoice_index ON payments (organization_id, invoice_id, id);

CREATE TABLE credit_notes (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    external_id text,
    deal_id uuid NOT NULL,
    invoice_id uuid,
    currency text NOT NULL,
    amount numeric(19, 4) NOT NULL,
    reason text,
    issued_at timestamptz NOT NULL,
    row_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT credit_notes_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT credit_notes_external_id_key UNIQUE (organization_id, external_id),
    CONSTRAINT credit_notes_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id),
    CONSTRAINT credit_notes_deal_fk FOREIGN KEY (organization_id, deal_id) REFERENCES deals (organization_id, id),
    CONSTRAINT credit_notes_invoice_fk FOREIGN KEY (organization_id, invoice_id)
        REFERENCES invoices (organization_id, id),
    CONSTRAINT credit_notes_amount_check CHECK (amount > 0)
);
CREATE INDEX credit_notes_deal_index ON credit_notes (organization_id, deal_id, id);
CREATE INDEX credit_notes_invoice_index ON credit_notes (organization_id, invoice_id) WHERE invoice_id IS NOT NULL;

CREATE TABLE refunds (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    external_id text,
    invoice_id uuid NOT NULL,
    payment_id uuid NOT NULL,
    credit_note_id uuid,
    kind text NOT NULL,
    currency text NOT NULL,
    amount numeric(19, 4) NOT NULL,
    -- What had been refunded of the payment when this refund was recorded, itself included.
    cumulative_amount numeric(19, 4) NOT NULL,
    reason text,
    refunded_at timestamptz NOT NULL,
    row_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT refunds_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT refunds_external_id_key UNIQUE (organization_id, external_id),
    CONSTRAINT refunds_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id),
    CONSTRAINT refunds_invoice_fk FOREIGN KEY (organization_id, invoice_id) REFERENCES invoices (organization_id, id),
    CONSTRAINT refunds_payment_fk FOREIGN KEY (organization_id, payment_id) REFERENCES payments (organization_id, id),
    CONSTRAINT refunds_credit_note_fk FOREIGN KEY (organization_id, credit_note_id)
        REFERENCES credit_notes (organization_id, id),
    CONSTRAINT refunds_kind_check CHECK (kind IN ('refund', 'chargeback', 'credit_note')),
    CONSTRAINT refunds_amount_check CHECK (amount > 0 AND cumulative_amount >= amount)
);
CREATE INDEX refunds_invoice_index ON refunds (organization_id, invoice_id, id);
CREATE INDEX refunds_payment_index ON refunds (organization_id, payment_id);
CREATE INDEX refunds_credit_note_index ON refunds (organization_id, credit_note_id) WHERE credit_note_id IS NOT NULL;

CREATE TRIGGER invoice_lines_append_only BEFORE UPDATE OR DELETE ON invoice_lines
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

SELECT protect_organization_table('invoices');
SELECT protect_organization_table('invoice_lines');
SELECT protect_organization_table('payments');
SELECT protect_organization_table('credit_notes');
SELECT protect_organization_table('refunds');

GRANT SELECT, INSERT, UPDATE ON invoices, payments, credit_notes, refunds TO copartner_service;
GRANT SELECT, INSERT ON invoice_lines TO copartner_service;
