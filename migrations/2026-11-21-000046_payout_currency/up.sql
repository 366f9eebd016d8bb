-- In which currency a partner is paid, when what it earned is exchanged into that, and what became of it.

-- In which currency a partner is paid; what it earns in another one is exchanged. None is paid in the currency of the invoice.
ALTER TABLE partners
    ADD COLUMN payout_currency text,
    ADD CONSTRAINT partners_payout_currency_check CHECK (payout_currency ~ '^[A-Z]{3}$');
ALTER TABLE programs
    ADD COLUMN fx_policy text NOT NULL DEFAULT 'at_accrual',
    ADD CONSTRAINT programs_fx_policy_check CHECK (fx_policy IN ('at_accrual', 'at_payout'));

-- A line keeps the currency of its invoice. It is exchanged once at most, by the policy that was in force when it was
-- earned; what is owed of it is owed in the one currency until then and in the other from then on.
ALTER TABLE commissions
    ADD COLUMN payout_currency text,
    ADD COLUMN fx_policy text,
    ADD COLUMN exchanged_amount numeric(19, 4),
    ADD COLUMN exchanged_reversed numeric(19, 4),
    ADD COLUMN exchanged_netted numeric(19, 4),
    ADD COLUMN exchange jsonb,
    ADD COLUMN exchanged_at timestamptz,
    ADD COLUMN owed_currency text NOT NULL
        GENERATED ALWAYS AS (CASE WHEN exchange IS NULL THEN currency ELSE payout_currency END) STORED,
    ADD COLUMN owed_amount numeric(19, 4) NOT NULL
        GENERATED ALWAYS AS (CASE WHEN exchange IS NULL THEN amount ELSE exchanged_amount END) STORED,
    ADD COLUMN owed_reversed numeric(19, 4) NOT NULL
        GENERATED ALWAYS AS (CASE WHEN exchange IS NULL THEN reversed_amount ELSE exchanged_reversed END) STORED,
    ADD COLUMN owed_netted numeric(19, 4) NOT NULL
        GENERATED ALWAYS AS (CASE WHEN exchange IS NULL THEN netted_amount ELSE exchanged_netted END) STORED,
    ADD CONSTRAINT commissions_fx_policy_check CHECK ((payout_currency IS NULL) = (fx_policy IS NULL)
        AND fx_policy IN ('at_accrual', 'at_payout') AND payout_currency ~ '^[A-Z]{3}$' AND payout_currency <> currency),
    ADD CONSTRAINT commissions_exchange_check CHECK (
        num_nonnulls(exchanged_amount, exchanged_reversed, exchanged_netted, exchange, exchanged_at) IN (0, 5)
        AND (exchange IS NULL OR payout_currency IS NOT NULL)),
    ADD CONSTRAINT commissions_exchanged_reversed_check CHECK (exchanged_netted >= 0
        AND exchanged_reversed >= exchanged_netted AND exchanged_reversed <= abs(exchanged_amount));
CREATE INDEX commissions_unexchanged_index ON commissions (organization_id, fx_policy, id)
    WHERE payout_currency IS NOT NULL AND exchange IS NULL;

-- What is taken back from an exchanged line is taken back in both currencies.
ALTER TABLE clawbacks
    ADD COLUMN exchanged_currency text,
    ADD COLUMN exchanged_amount numeric(19, 4),
    ADD COLUMN exchange jsonb,
    ADD COLUMN owed_currency text NOT NULL GENERATED ALWAYS AS (coalesce(exchanged_currency, currency)) STORED,
    ADD COLUMN owed_amount numeric(19, 4) NOT NULL GENERATED ALWAYS AS (coalesce(exchanged_amount, amount)) STORED,
    DROP CONSTRAINT clawbacks_amount_check,
    ADD CONSTRAINT clawbacks_amount_check CHECK (amount >= 0 AND coalesce(exchanged_amount, 0) >= 0
        AND (amount > 0 OR coalesce(exchanged_amount, 0) > 0) = (taken_from IS NOT NULL)
        AND (taken_from IS NULL) = (zero_reason IS NOT NULL)),
    ADD CONSTRAINT clawbacks_exchange_check CHECK (num_nonnulls(exchanged_currency, exchanged_amount, exchange) IN (0, 3)
        AND exchanged_currency ~ '^[A-Z]{3}$');

-- As before, and who is paid in which currency by which policy never changes; an exchange is made once.
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

-- As before, and it may be exchanged once, with its line.
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

-- Where lines wait for a rate that were to be exchanged when they were earned.
CREATE FUNCTION organizations_with_unexchanged_lines(instant timestamptz) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    SELECT o.organization_id FROM organizations o WHERE instant IS NOT NULL AND EXISTS (
        SELECT FROM commissions c WHERE c.organization_id = o.organization_id AND c.fx_policy = 'at_accrual'
            AND c.payout_currency IS NOT NULL AND c.exchange IS NULL AND c.status IN ('pending', 'due', 'approved')
            AND c.dispute_id IS NULL)
$$;

-- An exchange is two entries: out of the one currency, and into the other.
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

-- A run leaves what waits for a rate, besides whatever else it leaves of the currency.
ALTER TABLE payout_carry_forwards
    DROP CONSTRAINT payout_carry_forwards_reason_check,
    ADD CONSTRAINT payout_carry_forwards_reason_check CHECK (reason IN ('not_positive', 'below_minimum', 'partner_not_payable', 'currency_not_supported',
        'amount_not_supported', 'payout_method_missing', 'payout_method_cooling_off', 'payout_method_not_supported', 'missing_rate')),
    DROP CONSTRAINT payout_carry_forwards_key,
    ADD CONSTRAINT payout_carry_forwards_key
        UNIQUE (organization_id, payout_run_id, partner_id, program_id, currency, reason);

-- Statements say what was exchanged, where something was.
ALTER TABLE statements
    ADD COLUMN exchanged numeric(19, 4) NOT NULL DEFAULT 0,
    DROP CONSTRAINT statements_sum_check,
    ADD CONSTRAINT statements_sum_check
        CHECK (closing = opening + earned - reversed + adjusted + exchanged - paid);
CREATE OR REPLACE FUNCTION statement_effect(kind text, amount numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$
    SELECT CASE WHEN kind IN ('accrual', 'adjustment_up', 'payout_returned', 'exchange_in', 'clawback_exchange_in') THEN amount
        WHEN kind IN ('clawback', 'credit_note', 'adjustment_down', 'payout_paid', 'exchange_out',
            'clawback_exchange_out') THEN -amount END
$$;

CREATE OR REPLACE FUNCTION statement_document(id uuid, partner_id uuid, currency text, number integer, month date, time_zone text,
    figures numeric[], issued_at timestamptz, lines jsonb) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE AS
$$
    SELECT (jsonb_build_object('statement_id', id, 'partner_id', partner_id, 'currency', currency, 'number', number,
        'month', to_char(month, 'YYYY-MM'), 'time_zone', time_zone,
        'opening', figures[1]::numeric(19, 4)::text, 'earned', figures[2]::numeric(19, 4)::text,
        'reversed', figures[3]::numeric(19, 4)::text, 'adjusted', figures[4]::numeric(19, 4)::text,
        'paid', figures[5]::numeric(19, 4)::text, 'closing', figures[6]::numeric(19, 4)::text,
        'issued_at', to_char(issued_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'note', 'A posting stands on the statement of the month in which it was recorded, '
            || 'though it may have happened earlier.',
        'lines', lines)
        || CASE WHEN figures[7] <> 0 THEN jsonb_build_object('exchanged', figures[7]::numeric(19, 4)::text)
            ELSE '{}' END)::text
$$;
