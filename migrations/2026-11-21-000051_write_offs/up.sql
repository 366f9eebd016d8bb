-- Write-offs: what a partner owes and will not pay back is given up, by two people. It is an adjustment with its own entry
-- in the journal.

ALTER TABLE adjustments
    -- What the partner owed when the write-off was approved.
    ADD COLUMN debt numeric(19, 4),
    DROP CONSTRAINT adjustments_reason_code_check,
    ADD CONSTRAINT adjustments_reason_code_check CHECK (reason_code IN ('correction', 'bonus', 'goodwill', 'dispute',
        'penalty', 'other', 'write_off')),
    -- A write-off gives up a balance and no line of it, and never more than is owed.
    ADD CONSTRAINT adjustments_write_off_check CHECK (CASE WHEN reason_code = 'write_off'
        THEN amount > 0 AND num_nonnulls(commission_id, deal_id) = 0
            AND (debt IS NOT NULL) = (status IN ('approved', 'in_payout', 'paid')) AND coalesce(amount <= debt, true)
        ELSE debt IS NULL END);

CREATE OR REPLACE FUNCTION guard_adjustment() RETURNS trigger LANGUAGE plpgsql AS
$$
DECLARE
    movable text[] := ARRAY['status', 'status_reason', 'paid_at', 'row_version', 'updated_at'];
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.status = 'proposed' THEN
        movable := movable || ARRAY['approved_by', 'approved_by_type', 'approved_at', 'debt'];
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
        ('adjustment_down', 'payable', 'adjustment_expense'),
        ('write_off', 'writeoff_expense', 'payable'),
        ('freeze', 'payable', 'disputed'),
        ('thaw', 'disputed', 'payable'),
        ('exchange_out', 'held', 'fx_clearing'),
        ('exchange_in', 'fx_clearing', 'held'),
        ('clawback_exchange_out', 'held', 'fx_clearing'),
        ('clawback_exchange_in', 'fx_clearing', 'held'),
        ('exchange_out', 'released', 'fx_clearing'),
        ('exchange_in', 'fx_clearing', 'released'),
        ('clawback_exchange_out', 'released', 'fx_clearing'),
        ('clawback_exchange_in', 'fx_clearing', 'released'),
        ('exchange_out', 'payable', 'fx_clearing'),
        ('exchange_in', 'fx_clearing', 'payable'),
        ('clawback_exchange_out', 'payable', 'fx_clearing'),
        ('clawback_exchange_in', 'fx_clearing', 'payable')));

CREATE OR REPLACE FUNCTION statement_effect(kind text, amount numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$
    SELECT CASE WHEN kind IN ('accrual', 'adjustment_up', 'write_off', 'payout_returned', 'exchange_in', 'clawback_exchange_in') THEN amount
        WHEN kind IN ('clawback', 'credit_note', 'adjustment_down', 'payout_paid', 'exchange_out',
            'clawback_exchange_out') THEN -amount END
$$;
