CREATE OR REPLACE FUNCTION statement_effect(kind text, amount numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$
    SELECT CASE WHEN kind IN ('accrual', 'adjustment_up', 'write_off', 'payout_returned', 'exchange_in', 'clawback_exchange_in') THEN amount
        WHEN kind IN ('clawback', 'credit_note', 'adjustment_down', 'payout_paid', 'exchange_out',
            'clawback_exchange_out') THEN -amount END
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

CREATE OR REPLACE FUNCTION guard_commission() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'commissions is append-only' USING ERRCODE = 'CP001';
    END IF;
    IF (OLD.kind, OLD.partner_id, OLD.program_id, OLD.deal_id, OLD.attribution_id, OLD.role, OLD.component,
            OLD.currency, OLD.base_amount, OLD.amount, OLD.earned_at, OLD.release_at)
        IS DISTINCT FROM (NEW.kind, NEW.partner_id, NEW.program_id, NEW.deal_id, NEW.attribution_id, NEW.role,
            NEW.component, NEW.currency, NEW.base_amount, NEW.amount, NEW.earned_at, NEW.release_at)
        OR (OLD.invoice_id, OLD.invoice_line_id, OLD.payment_id, OLD.credit_note_id, OLD.rule_version_id,
            OLD.ineligible_reason, OLD.explanation, OLD.created_at)
        IS DISTINCT FROM (NEW.invoice_id, NEW.invoice_line_id, NEW.payment_id, NEW.credit_note_id,
            NEW.rule_version_id, NEW.ineligible_reason, NEW.explanation, NEW.created_at) THEN
        RAISE EXCEPTION 'an earned line never changes' USING ERRCODE = 'CP001';
    END IF;
    IF (OLD.payout_currency, OLD.fx_policy) IS DISTINCT FROM (NEW.payout_currency, NEW.fx_policy)
        OR OLD.exchange IS NOT NULL AND (OLD.exchange, OLD.exchanged_amount, OLD.exchanged_at)
            IS DISTINCT FROM (NEW.exchange, NEW.exchanged_amount, NEW.exchanged_at) THEN
        RAISE EXCEPTION 'an earned line is exchanged once' USING ERRCODE = 'CP001';
    END IF;
    IF NOT (OLD.status = NEW.status OR (OLD.status, NEW.status) IN (
        ('pending', 'due'), ('pending', 'reversed'), ('due', 'approved'), ('due', 'reversed'),
        ('approved', 'in_payout'), ('in_payout', 'approved'), ('in_payout', 'paid'), ('paid', 'approved'))) THEN
        RAISE EXCEPTION 'a commission cannot move from % to %', OLD.status, NEW.status USING ERRCODE = 'CP002';
    END IF;
    IF NEW.dispute_id IS NOT NULL AND (OLD.status, NEW.status) IN (
        ('pending', 'due'), ('due', 'approved'), ('approved', 'in_payout')) THEN
        RAISE EXCEPTION 'a disputed commission cannot move from % to %', OLD.status, NEW.status
            USING ERRCODE = 'CP002';
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION guard_clawback() RETURNS trigger LANGUAGE plpgsql AS
$$
DECLARE
    movable text[] := ARRAY['status', 'row_version', 'updated_at', 'owed_currency', 'owed_amount'];
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.exchanged_amount IS NULL THEN
        movable := movable || ARRAY['exchanged_currency', 'exchanged_amount', 'exchange'];
    END IF;
    IF TG_OP = 'DELETE' OR (to_jsonb(OLD) - movable) <> (to_jsonb(NEW) - movable) THEN
        RAISE EXCEPTION 'clawbacks is append-only' USING ERRCODE = 'CP001';
    END IF;
    IF NOT (OLD.status = NEW.status OR (OLD.status, NEW.status) IN (
        ('payable', 'in_payout'), ('in_payout', 'payable'), ('in_payout', 'paid'), ('paid', 'payable'))) THEN
        RAISE EXCEPTION 'a clawback cannot move from % to %', OLD.status, NEW.status USING ERRCODE = 'CP002';
    END IF;
    RETURN NEW;
END
$$;

ALTER TABLE commissions DROP COLUMN clawback_window_days;
ALTER TABLE payout_items
    DROP CONSTRAINT payout_items_amount_check,
    ADD CONSTRAINT payout_items_amount_check CHECK (clawback_id IS NULL OR amount < 0);
ALTER TABLE clawbacks
    DROP CONSTRAINT clawbacks_amount_check,
    ADD CONSTRAINT clawbacks_amount_check CHECK (amount >= 0 AND coalesce(exchanged_amount, 0) >= 0
        AND (amount > 0 OR coalesce(exchanged_amount, 0) > 0) = (taken_from IS NOT NULL)
        AND (taken_from IS NULL) = (zero_reason IS NOT NULL));
ALTER TABLE commissions
    DROP CONSTRAINT commissions_reversed_check,
    ADD CONSTRAINT commissions_reversed_check CHECK (netted_amount >= 0 AND reversed_amount >= netted_amount
        AND reversed_amount <= abs(amount)),
    DROP CONSTRAINT commissions_exchanged_reversed_check,
    ADD CONSTRAINT commissions_exchanged_reversed_check CHECK (exchanged_netted >= 0
        AND exchanged_reversed >= exchanged_netted AND exchanged_reversed <= abs(exchanged_amount));

DROP TRIGGER refunds_guard ON refunds;
DROP FUNCTION guard_refund();
CREATE INDEX refunds_payment_index ON refunds (organization_id, payment_id);
ALTER TABLE refunds
    DROP CONSTRAINT refunds_kind_check,
    ADD CONSTRAINT refunds_kind_check CHECK (kind IN ('refund', 'chargeback', 'credit_note')),
    DROP CONSTRAINT refunds_amount_check,
    ADD CONSTRAINT refunds_amount_check CHECK (amount > 0 AND cumulative_amount >= amount),
    DROP COLUMN reinstates_id,
    DROP COLUMN reinstated_amount,
    DROP COLUMN went_back_at,
    DROP COLUMN payment_version;
