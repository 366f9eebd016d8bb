-- How partners are paid: each change is a proposal that a second person confirms.

-- Hours between the confirmation of a payout method and the first payment by it.
ALTER TABLE organizations
    ADD COLUMN payout_method_cooling_off_hours integer NOT NULL DEFAULT 72,
    ADD CONSTRAINT organizations_payout_method_cooling_off_check
        CHECK (payout_method_cooling_off_hours BETWEEN 0 AND 720);

CREATE TABLE payout_methods (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    partner_id uuid NOT NULL,
    kind text NOT NULL,
    currency text NOT NULL,
    status text NOT NULL,
    status_reason text,
    instruction text,
    account_holder text,
    iban text,
    bic text,
    created_by uuid NOT NULL,
    created_by_type text NOT NULL,
    confirmed_by uuid,
    confirmed_by_type text,
    confirmed_at timestamptz,
    usable_from timestamptz,
    row_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT payout_methods_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT payout_methods_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id),
    CONSTRAINT payout_methods_partner_fk FOREIGN KEY (organization_id, partner_id)
        REFERENCES partners (organization_id, id),
    CONSTRAINT payout_methods_kind_check CHECK (kind IN ('manual', 'bank_account')),
    CONSTRAINT payout_methods_currency_check CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT payout_methods_status_check
        CHECK (status IN ('proposed', 'active', 'replaced', 'refused', 'withdrawn')),
    CONSTRAINT payout_methods_details_check CHECK (CASE kind
        WHEN 'manual' THEN instruction IS NOT NULL AND num_nonnulls(account_holder, iban, bic) = 0
        ELSE instruction IS NULL AND account_holder IS NOT NULL AND iban IS NOT NULL END),
    CONSTRAINT payout_methods_created_by_type_check CHECK (created_by_type IN ('api_key', 'user')),
    CONSTRAINT payout_methods_confirmed_by_type_check CHECK (confirmed_by_type IN ('api_key', 'user')),
    -- Segregation of duties: whoever proposed a method cannot confirm it.
    CONSTRAINT payout_methods_second_person_check CHECK (confirmed_by <> created_by),
    -- Nothing is or was in force that nobody confirmed, and what is confirmed says by whom, when and from when on.
    CONSTRAINT payout_methods_confirmation_check CHECK (
        num_nonnulls(confirmed_by, confirmed_by_type, confirmed_at, usable_from)
            = CASE WHEN confirmed_at IS NULL THEN 0 ELSE 4 END
        AND (usable_from IS NULL OR usable_from >= confirmed_at)
        AND CASE status WHEN 'proposed' THEN confirmed_at IS NULL WHEN 'refused' THEN confirmed_at IS NULL
            WHEN 'withdrawn' THEN true ELSE confirmed_at IS NOT NULL END)
);
-- A partner is paid in one way per currency.
CREATE UNIQUE INDEX payout_methods_active_key ON payout_methods (organization_id, partner_id, currency)
    WHERE status = 'active';
CREATE INDEX payout_methods_partner_index ON payout_methods (organization_id, partner_id, id);

-- Where the money goes and who said so never changes, and the status moves only along its life cycle.
CREATE FUNCTION guard_payout_method() RETURNS trigger LANGUAGE plpgsql AS
$$
DECLARE
    movable text[] := ARRAY['status', 'status_reason', 'row_version', 'updated_at'];
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.status = 'proposed' THEN
        movable := movable || ARRAY['confirmed_by', 'confirmed_by_type', 'confirmed_at', 'usable_from'];
    END IF;
    IF TG_OP = 'DELETE' OR (to_jsonb(OLD) - movable) <> (to_jsonb(NEW) - movable) THEN
        RAISE EXCEPTION 'a payout method never changes' USING ERRCODE = 'CP001';
    END IF;
    IF NOT (OLD.status = NEW.status OR (OLD.status, NEW.status) IN (
        ('proposed', 'active'), ('proposed', 'refused'), ('proposed', 'withdrawn'), ('active', 'replaced'),
        ('active', 'withdrawn'))) THEN
        RAISE EXCEPTION 'a payout method cannot move from % to %', OLD.status, NEW.status USING ERRCODE = 'CP002';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER payout_methods_guard BEFORE UPDATE OR DELETE ON payout_methods
    FOR EACH ROW EXECUTE FUNCTION guard_payout_method();

SELECT protect_partner_table('payout_methods');
-- A partner's callers propose and withdraw; nothing that they write is in force.
ALTER POLICY organization_and_partner ON payout_methods WITH CHECK (organization_id = (SELECT scope_organization())
    AND ((SELECT scope_partner()) IS NULL
        OR partner_id = (SELECT scope_partner()) AND status IN ('proposed', 'withdrawn')));

GRANT SELECT, INSERT, UPDATE ON payout_methods TO copartner_service;
