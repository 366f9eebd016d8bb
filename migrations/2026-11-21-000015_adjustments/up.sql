-- Amounts that a person gives to a partner or takes from it, and a second person approves.

CREATE TABLE adjustments (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    external_id text,
    partner_id uuid NOT NULL,
    program_id uuid NOT NULL,
    commission_id uuid,
    deal_id uuid,
    status text NOT NULL,
    status_reason text,
    reason_code text NOT NULL,
    reason text NOT NULL,
    currency text NOT NULL,
    amount numeric(19, 4) NOT NULL,
    created_by uuid NOT NULL,
    created_by_type text NOT NULL,
    approved_by uuid,
    approved_by_type text,
    approved_at timestamptz,
    paid_at timestamptz,
    row_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT adjustments_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT adjustments_external_id_key UNIQUE (organization_id, external_id),
    CONSTRAINT adjustments_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id),
    CONSTRAINT adjustments_partner_fk FOREIGN KEY (organization_id, partner_id)
        REFERENCES partners (organization_id, id),
    CONSTRAINT adjustments_program_fk FOREIGN KEY (organization_id, program_id)
        REFERENCES programs (organization_id, id),
    CONSTRAINT adjustments_commission_fk FOREIGN KEY (organization_id, commission_id)
        REFERENCES commissions (organization_id, id),
    CONSTRAINT adjustments_deal_fk FOREIGN KEY (organization_id, deal_id) REFERENCES deals (organization_id, id),
    CONSTRAINT adjustments_status_check
        CHECK (status IN ('proposed', 'approved', 'in_payout', 'paid', 'refused', 'withdrawn')),
    CONSTRAINT adjustments_reason_code_check
        CHECK (reason_code IN ('correction', 'bonus', 'goodwill', 'dispute', 'penalty', 'other')),
    CONSTRAINT adjustments_currency_check CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT adjustments_amount_check CHECK (amount <> 0),
    CONSTRAINT adjustments_created_by_type_check CHECK (created_by_type IN ('api_key', 'user')),
    CONSTRAINT adjustments_approved_by_type_check CHECK (approved_by_type IN ('api_key', 'user')),
    -- Segregation of duties: whoever proposed an adjustment cannot approve it.
    CONSTRAINT adjustments_second_person_check CHECK (approved_by <> created_by),
    -- Nothing counts that nobody approved, and what counts says who approved it and when.
    CONSTRAINT adjustments_approval_check CHECK (num_nonnulls(approved_by, approved_by_type, approved_at)
        = CASE WHEN status IN ('approved', 'in_payout', 'paid') THEN 3 ELSE 0 END)
);
CREATE INDEX adjustments_partner_index ON adjustments (organization_id, partner_id, id);
CREATE INDEX adjustments_program_index ON adjustments (organization_id, program_id);
CREATE INDEX adjustments_commission_index ON adjustments (organization_id, commission_id)
    WHERE commission_id IS NOT NULL;
CREATE INDEX adjustments_deal_index ON adjustments (organization_id, deal_id) WHERE deal_id IS NOT NULL;
CREATE INDEX adjustments_approved_index ON adjustments (organization_id, approved_at) WHERE status = 'approved';
CREATE INDEX adjustments_status_index ON adjustments (organization_id, status, id);

-- What was proposed, by whom and why never changes, nor who approved it, and the status moves only along its life cycle.
CREATE FUNCTION guard_adjustment() RETURNS trigger LANGUAGE plpgsql AS
$$
DECLARE
    movable text[] := ARRAY['status', 'status_reason', 'paid_at', 'row_version', 'updated_at'];
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.status = 'proposed' THEN
        movable := movable || ARRAY['approved_by', 'approved_by_type', 'approved_at'];
    END IF;
    IF TG_OP = 'DELETE' OR (to_jsonb(OLD) - movable) <> (to_jsonb(NEW) - movable) THEN
        RAISE EXCEPTION 'the terms of an adjustment never change' USING ERRCODE = 'CP001';
    END IF;
    IF NOT (OLD.status = NEW.status OR (OLD.status, NEW.status) IN (
        ('proposed', 'approved'), ('proposed', 'refused'), ('proposed', 'withdrawn'), ('approved', 'in_payout'),
        ('in_payout', 'approved'), ('in_payout', 'paid'), ('paid', 'approved'))) THEN
        RAISE EXCEPTION 'an adjustment cannot move from % to %', OLD.status, NEW.status USING ERRCODE = 'CP002';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER adjustments_guard BEFORE UPDATE OR DELETE ON adjustments
    FOR EACH ROW EXECUTE FUNCTION guard_adjustment();

-- Adjustments have entries of their own in the journal.
ALTER TABLE ledger_entries
    DROP CONSTRAINT ledger_entries_accounts_check,
    ADD CONSTRAINT ledger_entries_accounts_check CHECK ((kind, debit_account, credit_account) IN (
        ('accrual', 'commission_expense', 'held'),
        ('hold_release', 'held', 'released'),
        ('approval', 'released', 'payable'),
        ('reserve', 'payable', 'in_payout'),
        ('reserve_cancelled', 'in_payout', 'payable'),
        ('payout_paid', 'in_payout', 'payout_clearing'),
        ('payout_failed', 'in_payout', 'payable'),
        ('payout_returned', 'payout_clearing', 'payable'),
        ('clawback', 'held', 'commission_expense'),
        ('clawback', 'released', 'commission_expense'),
        ('clawback', 'payable', 'commission_expense'),
        ('credit_note', 'payable', 'commission_expense'),
        ('adjustment_up', 'adjustment_expense', 'payable'),
        ('adjustment_down', 'payable', 'adjustment_expense')));

-- And are lines of payouts.
ALTER TABLE payout_items
    ADD COLUMN adjustment_id uuid,
    ADD CONSTRAINT payout_items_adjustment_fk FOREIGN KEY (organization_id, adjustment_id)
        REFERENCES adjustments (organization_id, id),
    DROP CONSTRAINT payout_items_source_check,
    ADD CONSTRAINT payout_items_source_check CHECK (num_nonnulls(commission_id, clawback_id, adjustment_id) = 1);
CREATE UNIQUE INDEX payout_items_live_adjustment_key ON payout_items (organization_id, adjustment_id)
    WHERE status = 'live' AND adjustment_id IS NOT NULL;
CREATE INDEX payout_items_adjustment_index ON payout_items (organization_id, adjustment_id)
    WHERE adjustment_id IS NOT NULL;

SELECT protect_shared_table('adjustments',
    'partner_id = (SELECT scope_partner()) AND status IN (''approved'', ''in_payout'', ''paid'')');

GRANT SELECT, INSERT, UPDATE ON adjustments TO copartner_service;
