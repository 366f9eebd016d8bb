ALTER TABLE statements
    DROP CONSTRAINT statements_sum_check,
    DROP COLUMN exchanged,
    ADD CONSTRAINT statements_sum_check CHECK (closing = opening + earned - reversed + adjusted - paid);
CREATE OR REPLACE FUNCTION statement_effect(kind text, amount numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$
    SELECT CASE WHEN kind IN ('accrual', 'adjustment_up', 'payout_returned') THEN amount
        WHEN kind IN ('clawback', 'credit_note', 'adjustment_down', 'payout_paid') THEN -amount END
$$;

CREATE OR REPLACE FUNCTION statement_document(id uuid, partner_id uuid, currency text, number integer, month date, time_zone text,
    figures numeric[], issued_at timestamptz, lines jsonb) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE AS
$$
    SELECT jsonb_build_object('statement_id', id, 'partner_id', partner_id, 'currency', currency, 'number', number,
        'month', to_char(month, 'YYYY-MM'), 'time_zone', time_zone,
        'opening', figures[1]::numeric(19, 4)::text, 'earned', figures[2]::numeric(19, 4)::text,
        'reversed', figures[3]::numeric(19, 4)::text, 'adjusted', figures[4]::numeric(19, 4)::text,
        'paid', figures[5]::numeric(19, 4)::text, 'closing', figures[6]::numeric(19, 4)::text,
        'issued_at', to_char(issued_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'note', 'A posting stands on the statement of the month in which it was recorded, '
            || 'though it may have happened earlier.',
        'lines', lines)::text
$$;

ALTER TABLE payout_carry_forwards
    DROP CONSTRAINT payout_carry_forwards_reason_check,
    ADD CONSTRAINT payout_carry_forwards_reason_check CHECK (reason IN ('not_positive', 'below_minimum', 'partner_not_payable', 'currency_not_supported',
        'amount_not_supported', 'payout_method_missing', 'payout_method_cooling_off', 'payout_method_not_supported')),
    DROP CONSTRAINT payout_carry_forwards_key,
    ADD CONSTRAINT payout_carry_forwards_key
        UNIQUE (organization_id, payout_run_id, partner_id, program_id, currency);

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
        ('freeze', 'payable', 'disputed'),
        ('thaw', 'disputed', 'payable')));

DROP FUNCTION organizations_with_unexchanged_lines(timestamptz);

CREATE OR REPLACE FUNCTION guard_clawback() RETURNS trigger LANGUAGE plpgsql AS
$$
DECLARE
    movable text[] := ARRAY['status', 'row_version', 'updated_at'];
BEGIN
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

ALTER TABLE clawbacks
    DROP CONSTRAINT clawbacks_exchange_check,
    DROP CONSTRAINT clawbacks_amount_check,
    DROP COLUMN owed_amount,
    DROP COLUMN owed_currency,
    DROP COLUMN exchange,
    DROP COLUMN exchanged_amount,
    DROP COLUMN exchanged_currency,
    ADD CONSTRAINT clawbacks_amount_check CHECK (amount >= 0 AND (amount > 0) = (taken_from IS NOT NULL)
        AND (amount = 0) = (zero_reason IS NOT NULL));

DROP INDEX commissions_unexchanged_index;
ALTER TABLE commissions
    DROP CONSTRAINT commissions_exchanged_reversed_check,
    DROP CONSTRAINT commissions_exchange_check,
    DROP CONSTRAINT commissions_fx_policy_check,
    DROP COLUMN owed_netted,
    DROP COLUMN owed_reversed,
    DROP COLUMN owed_amount,
    DROP COLUMN owed_currency,
    DROP COLUMN exchanged_at,
    DROP COLUMN exchange,
    DROP COLUMN exchanged_netted,
    DROP COLUMN exchanged_reversed,
    DROP COLUMN exchanged_amount,
    DROP COLUMN fx_policy,
    DROP COLUMN payout_currency;
ALTER TABLE programs DROP CONSTRAINT programs_fx_policy_check, DROP COLUMN fx_policy;
ALTER TABLE partners DROP CONSTRAINT partners_payout_currency_check, DROP COLUMN payout_currency;
