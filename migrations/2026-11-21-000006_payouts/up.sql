-- Batches at a cut-off, one partner's payment in each per program and currency, and the lines it consists of.

CREATE TABLE payout_runs (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    external_id text,
    program_id uuid,
    status text NOT NULL,
    rail text NOT NULL,
    cut_off_at timestamptz NOT NULL,
    created_by uuid,
    approved_by uuid,
    approved_at timestamptz,
    completed_at timestamptz,
    cancelled_at timestamptz,
    row_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT payout_runs_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT payout_runs_external_id_key UNIQUE (organization_id, external_id),
    CONSTRAINT payout_runs_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id),
    CONSTRAINT payout_runs_program_fk FOREIGN KEY (organization_id, program_id)
        REFERENCES programs (organization_id, id),
    CONSTRAINT payout_runs_status_check
        CHECK (status IN ('draft', 'approved', 'processing', 'completed', 'cancelled')),
    CONSTRAINT payout_runs_rail_check CHECK (rail IN ('manual')),
    -- Segregation of duties: whoever created a run cannot approve it.
    CONSTRAINT payout_runs_second_person_check CHECK (approved_by IS NULL OR approved_by IS DISTINCT FROM created_by)
);
CREATE INDEX payout_runs_program_index ON payout_runs (organization_id, program_id) WHERE program_id IS NOT NULL;
CREATE INDEX payout_runs_status_index ON payout_runs (organization_id, status, id);

CREATE TABLE payouts (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    payout_run_id uuid NOT NULL,
    partner_id uuid NOT NULL,
    program_id uuid NOT NULL,
    status text NOT NULL,
    status_reason text,
    currency text NOT NULL,
    amount numeric(19, 4) NOT NULL,
    reference text,
    paid_at timestamptz,
    row_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT payouts_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT payouts_partner_key UNIQUE (organization_id, payout_run_id, partner_id, program_id, currency),
    CONSTRAINT payouts_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id),
    CONSTRAINT payouts_payout_run_fk FOREIGN KEY (organization_id, payout_run_id)
        REFERENCES payout_runs (organization_id, id),
    CONSTRAINT payouts_partner_fk FOREIGN KEY (organization_id, partner_id) REFERENCES partners (organization_id, id),
    CONSTRAINT payouts_program_fk FOREIGN KEY (organization_id, program_id) REFERENCES programs (organization_id, id),
    CONSTRAINT payouts_status_check
        CHECK (status IN ('pending', 'processing', 'paid', 'failed', 'returned', 'cancelled')),
    CONSTRAINT payouts_amount_check CHECK (amount > 0)
);
CREATE INDEX payouts_partner_index ON payouts (organization_id, partner_id, id);
CREATE INDEX payouts_program_index ON payouts (organization_id, program_id);
CREATE INDEX payouts_status_index ON payouts (organization_id, status, id);

CREATE TABLE payout_items (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    payout_id uuid NOT NULL,
    partner_id uuid NOT NULL,
    commission_id uuid,
    clawback_id uuid,
    status text NOT NULL,
    amount numeric(19, 4) NOT NULL,
    CONSTRAINT payout_items_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT payout_items_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id),
    CONSTRAINT payout_items_payout_fk FOREIGN KEY (organization_id, payout_id) REFERENCES payouts (organization_id, id),
    CONSTRAINT payout_items_partner_fk FOREIGN KEY (organization_id, partner_id)
        REFERENCES partners (organization_id, id),
    CONSTRAINT payout_items_commission_fk FOREIGN KEY (organization_id, commission_id)
        REFERENCES commissions (organization_id, id),
    CONSTRAINT payout_items_clawback_fk FOREIGN KEY (organization_id, clawback_id)
        REFERENCES clawbacks (organization_id, id),
    CONSTRAINT payout_items_source_check CHECK ((commission_id IS NULL) <> (clawback_id IS NULL)),
    CONSTRAINT payout_items_status_check CHECK (status IN ('proposed', 'live', 'released')),
    CONSTRAINT payout_items_amount_check CHECK (clawback_id IS NULL OR amount < 0)
);
-- A line is in one living payout at most, so that it is paid once.
CREATE UNIQUE INDEX payout_items_live_commission_key ON payout_items (organization_id, commission_id)
    WHERE status = 'live' AND commission_id IS NOT NULL;
CREATE UNIQUE INDEX payout_items_live_clawback_key ON payout_items (organization_id, clawback_id)
    WHERE status = 'live' AND clawback_id IS NOT NULL;
CREATE INDEX payout_items_payout_index ON payout_items (organization_id, payout_id, id);
CREATE INDEX payout_items_partner_index ON payout_items (organization_id, partner_id);
CREATE INDEX payout_items_commission_index ON payout_items (organization_id, commission_id)
    WHERE commission_id IS NOT NULL;
CREATE INDEX payout_items_clawback_index ON payout_items (organization_id, clawback_id) WHERE clawback_id IS NOT NULL;

-- What a run left for a later one, and why.
CREATE TABLE payout_carry_forwards (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    payout_run_id uuid NOT NULL,
    partner_id uuid NOT NULL,
    program_id uuid NOT NULL,
    currency text NOT NULL,
    amount numeric(19, 4) NOT NULL,
    reason text NOT NULL,
    CONSTRAINT payout_carry_forwards_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT payout_carry_forwards_key UNIQUE (organization_id, payout_run_id, partner_id, program_id, currency),
    CONSTRAINT payout_carry_forwards_organization_fk FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id),
    CONSTRAINT payout_carry_forwards_payout_run_fk FOREIGN KEY (organization_id, payout_run_id)
        REFERENCES payout_runs (organization_id, id),
    CONSTRAINT payout_carry_forwards_partner_fk FOREIGN KEY (organization_id, partner_id)
        REFERENCES partners (organization_id, id),
    CONSTRAINT payout_carry_forwards_program_fk FOREIGN KEY (organization_id, program_id)
        REFERENCES programs (organization_id, id),
    CONSTRAINT payout_carry_forwards_reason_check
        CHECK (reason IN ('not_positive', 'below_minimum', 'partner_not_payable'))
);
CREATE INDEX payout_carry_forwards_partner_index ON payout_carry_forwards (organization_id, partner_id);
CREATE INDEX payout_carry_forwards_program_index ON payout_carry_forwards (organization_id, program_id);

-- An id (UUIDv7) made from the instant, for rows that a statement makes by itself: those of one statement sort by their
-- place in it.
CREATE FUNCTION ordered_uuid(instant timestamptz, place bigint) RETURNS uuid
    LANGUAGE sql VOLATILE PARALLEL SAFE AS
$$
    SELECT (lpad(to_hex(floor(extract(epoch FROM instant) * 1000)::bigint), 12, '0')
        || '7' || lpad(to_hex((place >> 12) & 4095), 3, '0')
        || '8' || lpad(to_hex(place & 4095), 3, '0')
        || right(gen_random_uuid()::text, 12))::uuid
$$;

-- Whom a payout pays, for what and how much never changes, and its status moves only along its life cycle.
CREATE FUNCTION guard_payout() RETURNS trigger LANGUAGE plpgsql AS
$$
DECLARE
    movable text[] := ARRAY['status', 'status_reason', 'reference', 'paid_at', 'row_version', 'updated_at'];
BEGIN
    IF TG_OP = 'DELETE' OR (to_jsonb(OLD) - movable) <> (to_jsonb(NEW) - movable) THEN
        RAISE EXCEPTION 'the terms of a payout never change' USING ERRCODE = 'CP001';
    END IF;
    IF NOT (OLD.status = NEW.status OR (OLD.status, NEW.status) IN (
        ('pending', 'processing'), ('pending', 'cancelled'), ('processing', 'paid'), ('processing', 'failed'),
        ('paid', 'returned'))) THEN
        RAISE EXCEPTION 'a payout cannot move from % to %', OLD.status, NEW.status USING ERRCODE = 'CP002';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER payouts_guard BEFORE UPDATE OR DELETE ON payouts FOR EACH ROW EXECUTE FUNCTION guard_payout();

SELECT protect_organization_table('payout_runs');
SELECT protect_shared_table('payouts',
    'partner_id = (SELECT scope_partner()) AND status IN (''processing'', ''paid'', ''failed'', ''returned'')');
SELECT protect_shared_table('payout_items', 'partner_id = (SELECT scope_partner()) AND status <> ''proposed''');
SELECT protect_organization_table('payout_carry_forwards');

GRANT SELECT, INSERT, UPDATE ON payout_runs, payouts, payout_items TO copartner_service;
GRANT SELECT, INSERT ON payout_carry_forwards TO copartner_service;
