ALTER TABLE adjustments DROP COLUMN dispute_id;
ALTER TABLE dispute_reviews DROP COLUMN kept_amount;

CREATE OR REPLACE FUNCTION organizations_with_unexchanged_lines(instant timestamptz) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    SELECT o.organization_id FROM organizations o WHERE instant IS NOT NULL AND EXISTS (
        SELECT FROM commissions c WHERE c.organization_id = o.organization_id AND c.fx_policy = 'at_accrual'
            AND c.payout_currency IS NOT NULL AND c.exchange IS NULL AND c.status IN ('pending', 'due', 'approved')
            AND c.dispute_id IS NULL)
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
