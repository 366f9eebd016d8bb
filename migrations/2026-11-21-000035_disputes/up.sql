-- Disputes: a partner challenges a decision or an amount, and money that it challenges waits.

CREATE TABLE disputes (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    partner_id uuid NOT NULL,
    program_id uuid,
    -- What is challenged: the noun and the records. Words of the service, so that what else comes to be disputable needs
    -- no change here.
    subject_type text NOT NULL,
    subject_ids uuid[] NOT NULL,
    status text NOT NULL,
    status_reason text,
    reason_code text NOT NULL,
    statement text NOT NULL,
    evidence jsonb NOT NULL,
    -- Both calculations of money: the service's when it was opened, and the partner's.
    currency text,
    computed_amount numeric(19, 4),
    claimed_amount numeric(19, 4),
    claimed_share_basis_points integer,
    respond_by timestamptz NOT NULL,
    overdue_at timestamptz,
    decided_at timestamptz,
    adjustment_id uuid,
    created_by uuid NOT NULL,
    created_by_type text NOT NULL,
    row_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT disputes_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT disputes_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id),
    CONSTRAINT disputes_partner_fk FOREIGN KEY (organization_id, partner_id)
        REFERENCES partners (organization_id, id),
    CONSTRAINT disputes_program_fk FOREIGN KEY (organization_id, program_id)
        REFERENCES programs (organization_id, id),
    CONSTRAINT disputes_adjustment_fk FOREIGN KEY (organization_id, adjustment_id)
        REFERENCES adjustments (organization_id, id),
    CONSTRAINT disputes_status_check CHECK (status IN ('open', 'in_review', 'needs_information', 'upheld',
        'partially_upheld', 'denied', 'withdrawn')),
    CONSTRAINT disputes_subject_check CHECK (cardinality(subject_ids) > 0),
    CONSTRAINT disputes_money_check CHECK (num_nonnulls(currency, computed_amount, claimed_amount) IN (0, 3)),
    CONSTRAINT disputes_currency_check CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT disputes_share_check CHECK (claimed_share_basis_points BETWEEN 1 AND 10000),
    CONSTRAINT disputes_decided_check CHECK ((decided_at IS NOT NULL)
        = (status IN ('upheld', 'partially_upheld', 'denied', 'withdrawn'))),
    CONSTRAINT disputes_created_by_type_check CHECK (created_by_type IN ('api_key', 'user'))
);
-- One living dispute of a partner about the same.
CREATE UNIQUE INDEX disputes_live_subject_key ON disputes (organization_id, partner_id, subject_type, subject_ids)
    WHERE status IN ('open', 'in_review', 'needs_information');
CREATE INDEX disputes_partner_index ON disputes (organization_id, partner_id, id);
CREATE INDEX disputes_program_index ON disputes (organization_id, program_id) WHERE program_id IS NOT NULL;
CREATE INDEX disputes_adjustment_index ON disputes (organization_id, adjustment_id) WHERE adjustment_id IS NOT NULL;
CREATE INDEX disputes_status_index ON disputes (organization_id, status, id);
CREATE INDEX disputes_waiting_index ON disputes (organization_id, respond_by)
    WHERE status IN ('open', 'in_review') AND overdue_at IS NULL;

-- What is challenged, by whom and why never changes, and the status moves only along its life cycle.
CREATE FUNCTION guard_dispute() RETURNS trigger LANGUAGE plpgsql AS
$$
DECLARE
    movable text[] := ARRAY['status', 'status_reason', 'evidence', 'respond_by', 'overdue_at', 'decided_at',
        'adjustment_id', 'row_version', 'updated_at'];
BEGIN
    IF TG_OP = 'DELETE' OR (to_jsonb(OLD) - movable) <> (to_jsonb(NEW) - movable) THEN
        RAISE EXCEPTION 'what is disputed never changes' USING ERRCODE = 'CP001';
    END IF;
    IF NOT (OLD.status = NEW.status AND OLD.status IN ('open', 'in_review', 'needs_information')
        OR (OLD.status, NEW.status) IN (
        ('open', 'in_review'), ('open', 'withdrawn'), ('in_review', 'needs_information'), ('in_review', 'upheld'),
        ('in_review', 'partially_upheld'), ('in_review', 'denied'), ('in_review', 'withdrawn'),
        ('needs_information', 'in_review'), ('needs_information', 'withdrawn'))) THEN
        RAISE EXCEPTION 'a dispute cannot move from % to %', OLD.status, NEW.status USING ERRCODE = 'CP002';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER disputes_guard BEFORE UPDATE OR DELETE ON disputes FOR EACH ROW EXECUTE FUNCTION guard_dispute();

-- What the organization alone knows of a dispute: who made the decision, who looked into it, and what they found.
CREATE TABLE dispute_reviews (
    organization_id uuid NOT NULL,
    dispute_id uuid NOT NULL,
    contested_by uuid,
    contested_by_type text,
    reviewed_by uuid,
    reviewed_by_type text,
    reviewer_secret_makers uuid[] NOT NULL,
    note text,
    found_amount numeric(19, 4),
    -- What the lines came to when that was found.
    reviewed_amount numeric(19, 4),
    decided_by uuid,
    decided_by_type text,
    CONSTRAINT dispute_reviews_pk PRIMARY KEY (organization_id, dispute_id),
    CONSTRAINT dispute_reviews_organization_fk FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id),
    CONSTRAINT dispute_reviews_dispute_fk FOREIGN KEY (organization_id, dispute_id)
        REFERENCES disputes (organization_id, id),
    CONSTRAINT dispute_reviews_contested_by_type_check CHECK (contested_by_type IN ('api_key', 'user')),
    CONSTRAINT dispute_reviews_reviewed_by_type_check CHECK (reviewed_by_type IN ('api_key', 'user')),
    CONSTRAINT dispute_reviews_decided_by_type_check CHECK (decided_by_type IN ('api_key', 'user')),
    CONSTRAINT dispute_reviews_found_check CHECK (num_nonnulls(found_amount, reviewed_amount) IN (0, 2))
);

-- The commissions that a dispute is about, and what it does to each of them.
CREATE TABLE dispute_lines (
    organization_id uuid NOT NULL,
    dispute_id uuid NOT NULL,
    position integer NOT NULL,
    commission_id uuid NOT NULL,
    partner_id uuid NOT NULL,
    program_id uuid NOT NULL,
    currency text NOT NULL,
    amount numeric(19, 4) NOT NULL,
    -- How the service came to its amount.
    explanation text NOT NULL,
    effect text NOT NULL,
    frozen_amount numeric(19, 4) NOT NULL,
    CONSTRAINT dispute_lines_pk PRIMARY KEY (organization_id, dispute_id, position),
    CONSTRAINT dispute_lines_commission_key UNIQUE (organization_id, dispute_id, commission_id),
    CONSTRAINT dispute_lines_organization_fk FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id),
    CONSTRAINT dispute_lines_dispute_fk FOREIGN KEY (organization_id, dispute_id)
        REFERENCES disputes (organization_id, id),
    CONSTRAINT dispute_lines_commission_fk FOREIGN KEY (organization_id, commission_id)
        REFERENCES commissions (organization_id, id),
    CONSTRAINT dispute_lines_partner_fk FOREIGN KEY (organization_id, partner_id)
        REFERENCES partners (organization_id, id),
    CONSTRAINT dispute_lines_program_fk FOREIGN KEY (organization_id, program_id)
        REFERENCES programs (organization_id, id),
    CONSTRAINT dispute_lines_effect_check CHECK (effect IN ('frozen', 'withheld', 'left_alone')
        AND frozen_amount >= 0 AND (effect = 'frozen' OR frozen_amount = 0))
);
CREATE INDEX dispute_lines_commission_index ON dispute_lines (organization_id, commission_id);
CREATE INDEX dispute_lines_partner_index ON dispute_lines (organization_id, partner_id);
CREATE INDEX dispute_lines_program_index ON dispute_lines (organization_id, program_id);

-- What is said about a dispute: to the partner, or among the organization's own people.
CREATE TABLE dispute_comments (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    dispute_id uuid NOT NULL,
    partner_id uuid NOT NULL,
    visibility text NOT NULL,
    body text NOT NULL,
    created_by uuid NOT NULL,
    created_by_type text NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT dispute_comments_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT dispute_comments_organization_fk FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id),
    CONSTRAINT dispute_comments_dispute_fk FOREIGN KEY (organization_id, dispute_id)
        REFERENCES disputes (organization_id, id),
    CONSTRAINT dispute_comments_partner_fk FOREIGN KEY (organization_id, partner_id)
        REFERENCES partners (organization_id, id),
    CONSTRAINT dispute_comments_visibility_check CHECK (visibility IN ('partner', 'internal')),
    CONSTRAINT dispute_comments_created_by_type_check CHECK (created_by_type IN ('api_key', 'user'))
);
CREATE INDEX dispute_comments_dispute_index ON dispute_comments (organization_id, dispute_id, id);
CREATE INDEX dispute_comments_partner_index ON dispute_comments (organization_id, partner_id);

-- A commission names the living dispute that holds it up.
ALTER TABLE commissions
    ADD COLUMN dispute_id uuid,
    ADD CONSTRAINT commissions_dispute_fk FOREIGN KEY (organization_id, dispute_id)
        REFERENCES disputes (organization_id, id);
CREATE INDEX commissions_dispute_index ON commissions (organization_id, dispute_id) WHERE dispute_id IS NOT NULL;

-- As before, and a disputed line does not come on towards a payout.
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

-- What is disputed is no work for the worker.
CREATE OR REPLACE FUNCTION organizations_with_holds_over(instant timestamptz) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    SELECT o.organization_id FROM organizations o WHERE EXISTS (
        SELECT FROM commissions c WHERE c.organization_id = o.organization_id
            AND c.status = 'pending' AND c.release_at <= instant + o.clock_offset AND c.dispute_id IS NULL)
$$;

-- Where an answer is overdue by the organization's own clock.
CREATE FUNCTION organizations_with_overdue_disputes(instant timestamptz) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    SELECT o.organization_id FROM organizations o WHERE EXISTS (
        SELECT FROM disputes d WHERE d.organization_id = o.organization_id
            AND d.status IN ('open', 'in_review') AND d.overdue_at IS NULL
            AND d.respond_by <= instant + o.clock_offset)
$$;

-- Disputed money lies on an account of its own.
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

-- A decision that a dispute undoes: the claim is looked at again, or protected again.
CREATE OR REPLACE FUNCTION guard_deal_registration() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
    IF OLD.status <> NEW.status AND (OLD.status, NEW.status) NOT IN (
        ('draft', 'submitted'), ('draft', 'withdrawn'),
        ('submitted', 'in_review'), ('submitted', 'approved'), ('submitted', 'rejected'),
        ('submitted', 'action_required'), ('submitted', 'withdrawn'),
        ('in_review', 'approved'), ('in_review', 'rejected'), ('in_review', 'action_required'),
        ('in_review', 'withdrawn'),
        ('action_required', 'submitted'), ('action_required', 'withdrawn'), ('action_required', 'rejected'),
        ('approved', 'converted'), ('approved', 'lost'), ('approved', 'expired'), ('approved', 'revoked'),
        ('rejected', 'in_review'), ('revoked', 'in_review'), ('expired', 'in_review'),
        ('revoked', 'approved'), ('expired', 'approved')) THEN
        RAISE EXCEPTION 'a deal registration cannot move from % to %', OLD.status, NEW.status USING ERRCODE = 'CP002';
    END IF;
    RETURN NEW;
END
$$;

SELECT protect_shared_table('disputes', 'partner_id = (SELECT scope_partner())');
SELECT protect_organization_table('dispute_reviews');
SELECT protect_shared_table('dispute_lines', 'partner_id = (SELECT scope_partner())');
SELECT protect_shared_table('dispute_comments',
    'visibility = ''partner'' AND partner_id = (SELECT scope_partner())');

GRANT SELECT, INSERT, UPDATE ON disputes, dispute_reviews, dispute_lines TO copartner_service;
GRANT SELECT, INSERT ON dispute_comments TO copartner_service;
