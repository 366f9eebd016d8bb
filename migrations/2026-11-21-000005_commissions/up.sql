-- Rules, earned lines, what was taken back, and the journal.

CREATE TABLE commission_rules (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    external_id text,
    program_id uuid NOT NULL,
    name text NOT NULL,
    component text NOT NULL,
    row_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT commission_rules_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT commission_rules_external_id_key UNIQUE (organization_id, external_id),
    CONSTRAINT commission_rules_organization_fk FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id),
    CONSTRAINT commission_rules_program_fk FOREIGN KEY (organization_id, program_id)
        REFERENCES programs (organization_id, id),
    CONSTRAINT commission_rules_component_check CHECK (component IN ('base', 'bonus', 'override'))
);
CREATE INDEX commission_rules_program_index ON commission_rules (organization_id, program_id, id);

CREATE TABLE commission_rule_versions (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    commission_rule_id uuid NOT NULL,
    version integer NOT NULL,
    status text NOT NULL,
    formula jsonb NOT NULL,
    motions text[] NOT NULL,
    roles text[] NOT NULL,
    partner_ids uuid[] NOT NULL,
    product_family_ids uuid[] NOT NULL,
    currencies text[] NOT NULL,
    priority integer NOT NULL,
    hold_days integer NOT NULL,
    effective_from timestamptz NOT NULL,
    effective_to timestamptz,
    terms_hash text NOT NULL,
    activated_at timestamptz,
    retired_at timestamptz,
    row_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT commission_rule_versions_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT commission_rule_versions_number_key UNIQUE (organization_id, commission_rule_id, version),
    CONSTRAINT commission_rule_versions_organization_fk FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id),
    CONSTRAINT commission_rule_versions_rule_fk FOREIGN KEY (organization_id, commission_rule_id)
        REFERENCES commission_rules (organization_id, id),
    CONSTRAINT commission_rule_versions_status_check CHECK (status IN ('draft', 'active', 'retired')),
    CONSTRAINT commission_rule_versions_hold_days_check CHECK (hold_days BETWEEN 0 AND 3650),
    CONSTRAINT commission_rule_versions_period_check CHECK (effective_to IS NULL OR effective_to > effective_from),
    CONSTRAINT commission_rule_versions_period_key EXCLUDE USING gist (
        organization_id WITH =, commission_rule_id WITH =, tstzrange(effective_from, effective_to) WITH &&
    ) WHERE (status <> 'draft')
);

-- The terms of a version never change once it is active; only its end and its status may be set.
CREATE FUNCTION guard_commission_rule_version() RETURNS trigger LANGUAGE plpgsql AS
$$
DECLARE
    movable text[] := ARRAY['status', 'effective_to', 'retired_at', 'row_version', 'updated_at'];
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'commission_rule_versions is append-only' USING ERRCODE = 'CP001';
    END IF;
    IF OLD.status <> 'draft' AND (to_jsonb(OLD) - movable) <> (to_jsonb(NEW) - movable) THEN
        RAISE EXCEPTION 'an active commission rule version never changes' USING ERRCODE = 'CP001';
    END IF;
    IF NOT (OLD.status = NEW.status OR (OLD.status, NEW.status) IN (('draft', 'active'), ('active', 'retired'))) THEN
        RAISE EXCEPTION 'a commission rule version cannot move from % to %', OLD.status, NEW.status
            USING ERRCODE = 'CP002';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER commission_rule_versions_guard BEFORE UPDATE OR DELETE ON commission_rule_versions
    FOR EACH ROW EXECUTE FUNCTION guard_commission_rule_version();

CREATE TABLE commissions (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    partner_id uuid NOT NULL,
    program_id uuid NOT NULL,
    deal_id uuid NOT NULL,
    attribution_id uuid NOT NULL,
    role text NOT NULL,
    component text NOT NULL,
    invoice_id uuid,
    invoice_line_id uuid,
    payment_id uuid,
    credit_note_id uuid,
    rule_version_id uuid,
    status text NOT NULL,
    ineligible_reason text,
    currency text NOT NULL,
    base_amount numeric(19, 4) NOT NULL,
    amount numeric(19, 4) NOT NULL,
    -- Taken back in all, and the part of it taken before approval, which the line itself is netted with.
    reversed_amount numeric(19, 4) NOT NULL,
    netted_amount numeric(19, 4) NOT NULL,
    earned_at timestamptz NOT NULL,
    release_at timestamptz NOT NULL,
    approved_at timestamptz,
    paid_at timestamptz,
    explanation jsonb NOT NULL,
    row_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT commissions_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT commissions_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id),
    CONSTRAINT commissions_partner_fk FOREIGN KEY (organization_id, partner_id)
        REFERENCES partners (organization_id, id),
    CONSTRAINT commissions_program_fk FOREIGN KEY (organization_id, program_id)
        REFERENCES programs (organization_id, id),
    CONSTRAINT commissions_deal_fk FOREIGN KEY (organization_id, deal_id) REFERENCES deals (organization_id, id),
    CONSTRAINT commissions_attribution_fk FOREIGN KEY (organization_id, attribution_id)
        REFERENCES attributions (organization_id, id),
    CONSTRAINT commissions_invoice_fk FOREIGN KEY (organization_id, invoice_id)
        REFERENCES invoices (organization_id, id),
    CONSTRAINT commissions_invoice_line_fk FOREIGN KEY (organization_id, invoice_line_id)
        REFERENCES invoice_lines (organization_id, id),
    CONSTRAINT commissions_payment_fk FOREIGN KEY (organization_id, payment_id)
        REFERENCES payments (organization_id, id),
    CONSTRAINT commissions_credit_note_fk FOREIGN KEY (organization_id, credit_note_id)
        REFERENCES credit_notes (organization_id, id),
    CONSTRAINT commissions_rule_version_fk FOREIGN KEY (organization_id, rule_version_id)
        REFERENCES commission_rule_versions (organization_id, id),
    CONSTRAINT commissions_kind_check CHECK (kind IN ('accrual', 'credit_note')),
    CONSTRAINT commissions_source_check CHECK (
        (kind = 'accrual' AND payment_id IS NOT NULL AND invoice_line_id IS NOT NULL AND invoice_id IS NOT NULL
            AND credit_note_id IS NULL AND amount >= 0)
        OR (kind = 'credit_note' AND credit_note_id IS NOT NULL AND payment_id IS NULL AND amount <= 0)),
    CONSTRAINT commissions_status_check CHECK (status IN
        ('pending', 'due', 'approved', 'in_payout', 'paid', 'reversed', 'ineligible')),
    CONSTRAINT commissions_ineligible_check CHECK ((status = 'ineligible') = (ineligible_reason IS NOT NULL)
        AND (status <> 'ineligible' OR amount = 0)),
    CONSTRAINT commissions_rule_check CHECK (rule_version_id IS NOT NULL OR status = 'ineligible'),
    CONSTRAINT commissions_reversed_check CHECK (netted_amount >= 0 AND reversed_amount >= netted_amount
        AND reversed_amount <= abs(amount)),
    CONSTRAINT commissions_currency_check CHECK (currency ~ '^[A-Z]{3}$')
);
-- One payment earns a line, a component and a credit once; so does one credit note.
CREATE UNIQUE INDEX commissions_payment_key
    ON commissions (organization_id, payment_id, invoice_line_id, attribution_id, component)
    WHERE payment_id IS NOT NULL;
CREATE UNIQUE INDEX commissions_credit_note_key
    ON commissions (organization_id, credit_note_id, attribution_id, component) WHERE credit_note_id IS NOT NULL;
CREATE INDEX commissions_partner_index ON commissions (organization_id, partner_id, id);
CREATE INDEX commissions_program_index ON commissions (organization_id, program_id, id);
CREATE INDEX commissions_deal_index ON commissions (organization_id, deal_id, id);
CREATE INDEX commissions_attribution_index ON commissions (organization_id, attribution_id);
CREATE INDEX commissions_invoice_index ON commissions (organization_id, invoice_id) WHERE invoice_id IS NOT NULL;
CREATE INDEX commissions_invoice_line_index ON commissions (organization_id, invoice_line_id)
    WHERE invoice_line_id IS NOT NULL;
CREATE INDEX commissions_rule_version_index ON commissions (organization_id, rule_version_id)
    WHERE rule_version_id IS NOT NULL;
CREATE INDEX commissions_pending_index ON commissions (organization_id, release_at) WHERE status = 'pending';
CREATE INDEX commissions_approved_index ON commissions (organization_id, release_at) WHERE status = 'approved';
CREATE INDEX commissions_status_index ON commissions (organization_id, status, id);

-- What was earned, on what and why never changes, and the status moves only along its life cycle.
CREATE FUNCTION guard_commission() RETURNS trigger LANGUAGE plpgsql AS
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
    RETURN NEW;
END
$$;
CREATE TRIGGER commissions_guard BEFORE UPDATE OR DELETE ON commissions
    FOR EACH ROW EXECUTE FUNCTION guard_commission();

CREATE TABLE clawbacks (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    commission_id uuid NOT NULL,
    refund_id uuid NOT NULL,
    partner_id uuid NOT NULL,
    program_id uuid NOT NULL,
    status text NOT NULL,
    currency text NOT NULL,
    amount numeric(19, 4) NOT NULL,
    -- The account it was taken from: held and released net the line itself, payable is a line of the next payout.
    taken_from text,
    zero_reason text,
    explanation jsonb NOT NULL,
    occurred_at timestamptz NOT NULL,
    row_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT clawbacks_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT clawbacks_commission_refund_key UNIQUE (organization_id, commission_id, refund_id),
    CONSTRAINT clawbacks_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id),
    CONSTRAINT clawbacks_commission_fk FOREIGN KEY (organization_id, commission_id)
        REFERENCES commissions (organization_id, id),
    CONSTRAINT clawbacks_refund_fk FOREIGN KEY (organization_id, refund_id) REFERENCES refunds (organization_id, id),
    CONSTRAINT clawbacks_partner_fk FOREIGN KEY (organization_id, partner_id)
        REFERENCES partners (organization_id, id),
    CONSTRAINT clawbacks_program_fk FOREIGN KEY (organization_id, program_id)
        REFERENCES programs (organization_id, id),
    CONSTRAINT clawbacks_status_check CHECK (status IN ('netted', 'payable', 'in_payout', 'paid')),
    CONSTRAINT clawbacks_taken_from_check CHECK (taken_from IN ('held', 'released', 'payable')),
    CONSTRAINT clawbacks_amount_check CHECK (amount >= 0 AND (amount > 0) = (taken_from IS NOT NULL)
        AND (amount = 0) = (zero_reason IS NOT NULL)),
    CONSTRAINT clawbacks_netted_check CHECK ((status = 'netted') = (taken_from IS DISTINCT FROM 'payable'))
);
CREATE INDEX clawbacks_refund_index ON clawbacks (organization_id, refund_id);
CREATE INDEX clawbacks_partner_index ON clawbacks (organization_id, partner_id, id);
CREATE INDEX clawbacks_program_index ON clawbacks (organization_id, program_id);
CREATE INDEX clawbacks_payable_index ON clawbacks (organization_id, occurred_at) WHERE status = 'payable';

CREATE FUNCTION guard_clawback() RETURNS trigger LANGUAGE plpgsql AS
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
CREATE TRIGGER clawbacks_guard BEFORE UPDATE OR DELETE ON clawbacks
    FOR EACH ROW EXECUTE FUNCTION guard_clawback();

-- The journal. One row is one double entry: a positive amount that leaves the credited account's other side, so that
-- debits equal credits in every entry and currency by construction and no row can be half of something.
CREATE TABLE ledger_entries (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    -- What caused the entry (a commission, a clawback, a payout) and which step of it: the unique key of money.
    source_id uuid NOT NULL,
    step integer NOT NULL,
    debit_account text NOT NULL,
    credit_account text NOT NULL,
    partner_id uuid NOT NULL,
    program_id uuid NOT NULL,
    currency text NOT NULL,
    amount numeric(19, 4) NOT NULL,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT ledger_entries_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT ledger_entries_source_key UNIQUE (organization_id, source_id, kind, step),
    CONSTRAINT ledger_entries_organization_fk FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id),
    CONSTRAINT ledger_entries_partner_fk FOREIGN KEY (organization_id, partner_id)
        REFERENCES partners (organization_id, id),
    CONSTRAINT ledger_entries_program_fk FOREIGN KEY (organization_id, program_id)
        REFERENCES programs (organization_id, id),
    CONSTRAINT ledger_entries_amount_check CHECK (amount > 0),
    CONSTRAINT ledger_entries_currency_check CHECK (currency ~ '^[A-Z]{3}$'),
    -- Each kind moves between exactly these accounts (the table in the money contract).
    CONSTRAINT ledger_entries_accounts_check CHECK ((kind, debit_account, credit_account) IN (
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
        ('credit_note', 'payable', 'commission_expense')))
);
CREATE INDEX ledger_entries_partner_index ON ledger_entries (organization_id, partner_id, currency)
    INCLUDE (program_id, debit_account, credit_account, amount, occurred_at);
CREATE INDEX ledger_entries_program_index ON ledger_entries (organization_id, program_id);
CREATE TRIGGER ledger_entries_append_only BEFORE UPDATE OR DELETE ON ledger_entries
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Where the worker has holds to release at this instant.
CREATE FUNCTION organizations_with_holds_over(instant timestamptz) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    SELECT o.organization_id FROM organizations o WHERE EXISTS (
        SELECT FROM commissions c WHERE c.organization_id = o.organization_id
            AND c.status = 'pending' AND c.release_at <= instant)
$$;

SELECT protect_organization_table('commission_rules');
SELECT protect_organization_table('commission_rule_versions');
SELECT protect_shared_table('commissions', 'partner_id = (SELECT scope_partner())');
SELECT protect_shared_table('clawbacks', 'partner_id = (SELECT scope_partner())');
SELECT protect_shared_table('ledger_entries', 'partner_id = (SELECT scope_partner())');

GRANT SELECT, INSERT, UPDATE ON commission_rules, commission_rule_versions, commissions, clawbacks
    TO copartner_service;
GRANT SELECT, INSERT ON ledger_entries TO copartner_service;
