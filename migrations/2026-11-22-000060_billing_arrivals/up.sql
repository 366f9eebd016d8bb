-- Facts of billing, told by the caller's own keys and in any order: what refers to something that is not there waits for it.
CREATE TABLE billing_arrivals (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    external_id text NOT NULL,
    -- The fact as it was told.
    fact jsonb NOT NULL,
    -- When it happened in billing; what waits is settled in this order.
    happened_at timestamptz NOT NULL,
    status text NOT NULL,
    status_reason text,
    -- What is not there yet, by the caller's key.
    awaits_resource text,
    awaits_external_id text,
    -- The record that it made, or changed.
    record_id uuid,
    -- Why it was refused, as the caller would have been told.
    problem jsonb,
    created_by uuid,
    created_by_type text,
    row_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT billing_arrivals_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT billing_arrivals_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id),
    CONSTRAINT billing_arrivals_kind_check
        CHECK (kind IN ('invoice', 'payment', 'refund', 'reinstatement', 'credit_note', 'invoice_void')),
    CONSTRAINT billing_arrivals_status_check CHECK (status IN ('parked', 'applied', 'refused', 'withdrawn')),
    CONSTRAINT billing_arrivals_awaits_check CHECK (awaits_resource IN ('deal', 'invoice', 'payment', 'refund')
        AND (awaits_resource IS NULL) = (awaits_external_id IS NULL)),
    CONSTRAINT billing_arrivals_created_by_type_check CHECK (created_by_type IN ('api_key', 'user')),
    CONSTRAINT billing_arrivals_outcome_check CHECK (
        (status = 'parked') = (awaits_resource IS NOT NULL)
        AND (status = 'applied') = (record_id IS NOT NULL)
        AND (status = 'withdrawn') = (status_reason IS NOT NULL)
        AND (status <> 'refused' OR problem IS NOT NULL)
        AND (status NOT IN ('parked', 'applied') OR problem IS NULL))
);
-- What was withdrawn gives its key back.
CREATE UNIQUE INDEX billing_arrivals_external_id_key ON billing_arrivals (organization_id, kind, external_id)
    WHERE status <> 'withdrawn';
CREATE INDEX billing_arrivals_status_index ON billing_arrivals (organization_id, status, id);
CREATE INDEX billing_arrivals_parked_index
    ON billing_arrivals (organization_id, awaits_resource, awaits_external_id) WHERE status = 'parked';

CREATE FUNCTION guard_billing_arrival() RETURNS trigger LANGUAGE plpgsql AS
$$
DECLARE
    movable text[] := ARRAY['status', 'status_reason', 'awaits_resource', 'awaits_external_id', 'record_id', 'problem',
        'row_version', 'updated_at'];
BEGIN
    IF TG_OP = 'DELETE' OR (to_jsonb(OLD) - movable) <> (to_jsonb(NEW) - movable) THEN
        RAISE EXCEPTION 'a billing arrival never changes' USING ERRCODE = 'CP001';
    END IF;
    IF OLD.status NOT IN ('parked', 'refused') OR OLD.status = 'refused' AND NEW.status = 'refused' THEN
        RAISE EXCEPTION 'a billing arrival cannot move from % to %', OLD.status, NEW.status
            USING ERRCODE = 'CP002';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER billing_arrivals_guard BEFORE UPDATE OR DELETE ON billing_arrivals
    FOR EACH ROW EXECUTE FUNCTION guard_billing_arrival();

SELECT protect_organization_table('billing_arrivals');
GRANT SELECT, INSERT, UPDATE ON billing_arrivals TO copartner_service;

-- The records of billing by their organizations' own keys. Written so that Postgres plans it with whatever asks it: no
-- settings of its own, and the rights of the caller.
CREATE FUNCTION billed_records() RETURNS TABLE (organization_id uuid, resource text, external_id text, id uuid)
    LANGUAGE sql STABLE PARALLEL SAFE AS
$$
    SELECT d.organization_id, 'deal'::text, d.external_id, d.id FROM deals d
    UNION ALL SELECT i.organization_id, 'invoice'::text, i.external_id, i.id FROM invoices i
    UNION ALL SELECT p.organization_id, 'payment'::text, p.external_id, p.id FROM payments p
    UNION ALL SELECT r.organization_id, 'refund'::text, r.external_id, r.id FROM refunds r
$$;
GRANT EXECUTE ON FUNCTION billed_records TO copartner_service;

-- The arrivals of which what they await is there. It is looked up key by key (OFFSET): what was ever billed may be a
-- thousand times what waits. Planned as the one above.
CREATE FUNCTION met_arrivals() RETURNS TABLE (organization_id uuid, id uuid, happened_at timestamptz)
    LANGUAGE sql STABLE PARALLEL SAFE AS
$$
    SELECT a.organization_id, a.id, a.happened_at FROM billing_arrivals a
    WHERE a.status = 'parked' AND EXISTS (
        SELECT FROM billed_records() b WHERE b.organization_id = a.organization_id
            AND b.resource = a.awaits_resource AND b.external_id = a.awaits_external_id OFFSET 0)
$$;
GRANT EXECUTE ON FUNCTION met_arrivals TO copartner_service;

-- Where there are any. The instant is that of the worker's round; no fact waits for one.
CREATE FUNCTION organizations_with_met_arrivals(instant timestamptz) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    SELECT DISTINCT organization_id FROM met_arrivals()
$$;
GRANT EXECUTE ON FUNCTION organizations_with_met_arrivals TO copartner_service;
