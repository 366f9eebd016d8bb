-- Money that went back comes in again: a chargeback that the vendor won, or a refund that failed. It is a refund below
-- zero, and what was taken back because of the refund is given back by a clawback below zero: sums need not know of it.

ALTER TABLE refunds
    -- The refund that it undoes, or a part of it; and how much of a refund was undone.
    ADD COLUMN reinstates_id uuid,
    ADD COLUMN reinstated_amount numeric(19, 4) NOT NULL DEFAULT 0,
    -- When the money went back, for the program's clawback window: what is undone counts as what it undoes.
    ADD COLUMN went_back_at timestamptz,
    -- Which version of the payment it made: the order in which the refunds of a payment were recorded.
    ADD COLUMN payment_version bigint,
    DROP CONSTRAINT refunds_kind_check,
    ADD CONSTRAINT refunds_kind_check CHECK (kind IN ('refund', 'chargeback', 'credit_note', 'reinstatement')),
    DROP CONSTRAINT refunds_amount_check,
    ADD CONSTRAINT refunds_amount_check CHECK (cumulative_amount >= 0
        AND CASE kind WHEN 'reinstatement' THEN amount < 0 ELSE amount > 0 AND cumulative_amount >= amount END),
    ADD CONSTRAINT refunds_reinstates_check CHECK ((kind = 'reinstatement') = (reinstates_id IS NOT NULL)),
    ADD CONSTRAINT refunds_reinstated_check CHECK (CASE WHEN kind IN ('refund', 'chargeback')
        THEN reinstated_amount BETWEEN 0 AND amount ELSE reinstated_amount = 0 END),
    ADD CONSTRAINT refunds_reinstates_fk FOREIGN KEY (organization_id, reinstates_id)
        REFERENCES refunds (organization_id, id);
UPDATE refunds r SET went_back_at = r.refunded_at, payment_version = o.place
    FROM (SELECT organization_id, id,
            1 + row_number() OVER (PARTITION BY organization_id, payment_id ORDER BY cumulative_amount, id) AS place
        FROM refunds) o
    WHERE o.organization_id = r.organization_id AND o.id = r.id;
ALTER TABLE refunds
    ALTER COLUMN went_back_at SET NOT NULL,
    ALTER COLUMN payment_version SET NOT NULL,
    ADD CONSTRAINT refunds_payment_version_key UNIQUE (organization_id, payment_id, payment_version);
DROP INDEX refunds_payment_index;
CREATE INDEX refunds_reinstates_index ON refunds (organization_id, reinstates_id) WHERE reinstates_id IS NOT NULL;

CREATE FUNCTION guard_refund() RETURNS trigger LANGUAGE plpgsql AS
$$
DECLARE
    movable text[] := ARRAY['reinstated_amount', 'row_version', 'updated_at'];
BEGIN
    IF TG_OP = 'DELETE' OR (to_jsonb(OLD) - movable) <> (to_jsonb(NEW) - movable)
        OR NEW.reinstated_amount < OLD.reinstated_amount THEN
        RAISE EXCEPTION 'a refund never changes, but for what was undone of it' USING ERRCODE = 'CP001';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER refunds_guard BEFORE UPDATE OR DELETE ON refunds
    FOR EACH ROW EXECUTE FUNCTION guard_refund();

-- What was taken back of a line before it was approved may be given back after that, as a line of its own: no more than
-- the whole line was netted, and no more than it is reversed.
ALTER TABLE commissions
    DROP CONSTRAINT commissions_reversed_check,
    ADD CONSTRAINT commissions_reversed_check CHECK (netted_amount BETWEEN 0 AND abs(amount)
        AND reversed_amount BETWEEN 0 AND abs(amount)),
    DROP CONSTRAINT commissions_exchanged_reversed_check,
    ADD CONSTRAINT commissions_exchanged_reversed_check CHECK (exchanged_netted BETWEEN 0 AND abs(exchanged_amount)
        AND exchanged_reversed BETWEEN 0 AND abs(exchanged_amount));
ALTER TABLE clawbacks
    DROP CONSTRAINT clawbacks_amount_check,
    ADD CONSTRAINT clawbacks_amount_check CHECK (sign(amount) * sign(coalesce(exchanged_amount, 0)) >= 0
        AND (amount <> 0 OR coalesce(exchanged_amount, 0) <> 0) = (taken_from IS NOT NULL)
        AND (taken_from IS NULL) = (zero_reason IS NOT NULL));
ALTER TABLE payout_items
    DROP CONSTRAINT payout_items_amount_check,
    ADD CONSTRAINT payout_items_amount_check CHECK (clawback_id IS NULL OR amount <> 0);

-- The clawback window is frozen with the line, as everything that it was earned by.
ALTER TABLE commissions
    ADD COLUMN clawback_window_days integer;
ALTER TABLE commissions DISABLE TRIGGER commissions_guard;
UPDATE commissions c SET clawback_window_days = g.clawback_window_days FROM programs g
    WHERE g.organization_id = c.organization_id AND g.id = c.program_id AND g.clawback_window_days IS NOT NULL;
ALTER TABLE commissions ENABLE TRIGGER commissions_guard;

-- As before, and what took nothing in the one currency may take something in the other, which nets the line.
CREATE OR REPLACE FUNCTION guard_clawback() RETURNS trigger LANGUAGE plpgsql AS
$$
DECLARE
    movable text[] := ARRAY['status', 'row_version', 'updated_at', 'owed_currency', 'owed_amount'];
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.exchanged_amount IS NULL THEN
        movable := movable || ARRAY['exchanged_currency', 'exchanged_amount', 'exchange', 'taken_from', 'zero_reason'];
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

-- As before, and a line that was taken back in full before it was approved comes back to where it stood.
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
            OLD.ineligible_reason, OLD.explanation, OLD.created_at, OLD.clawback_window_days)
        IS DISTINCT FROM (NEW.invoice_id, NEW.invoice_line_id, NEW.payment_id, NEW.credit_note_id,
            NEW.rule_version_id, NEW.ineligible_reason, NEW.explanation, NEW.created_at, NEW.clawback_window_days) THEN
        RAISE EXCEPTION 'an earned line never changes' USING ERRCODE = 'CP001';
    END IF;
    IF (OLD.payout_currency, OLD.fx_policy) IS DISTINCT FROM (NEW.payout_currency, NEW.fx_policy)
        OR OLD.exchange IS NOT NULL AND (OLD.exchange, OLD.exchanged_amount, OLD.exchanged_at)
            IS DISTINCT FROM (NEW.exchange, NEW.exchanged_amount, NEW.exchanged_at) THEN
        RAISE EXCEPTION 'an earned line is exchanged once' USING ERRCODE = 'CP001';
    END IF;
    IF NOT (OLD.status = NEW.status OR (OLD.status, NEW.status) IN (
        ('pending', 'due'), ('pending', 'reversed'), ('due', 'approved'), ('due', 'reversed'), ('reversed', 'pending'), ('reversed', 'due'),
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
        ('reinstatement', 'commission_expense', 'held'),
        ('reinstatement', 'commission_expense', 'released'),
        ('reinstatement', 'commission_expense', 'payable'),
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
    SELECT CASE WHEN kind IN ('accrual', 'adjustment_up', 'write_off', 'reinstatement', 'payout_returned', 'exchange_in', 'clawback_exchange_in') THEN amount
        WHEN kind IN ('clawback', 'credit_note', 'adjustment_down', 'payout_paid', 'exchange_out',
            'clawback_exchange_out') THEN -amount END
$$;
