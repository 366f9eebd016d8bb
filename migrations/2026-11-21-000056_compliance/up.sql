-- What partners have on file: agreements, certifications, licenses, tax forms; and what programs ask for.
CREATE TABLE compliance_documents (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    external_id text,
    partner_id uuid NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    reference text,
    link text,
    product_family_id uuid,
    countries text[] NOT NULL,
    valid_from date NOT NULL,
    valid_until date,
    status text NOT NULL,
    status_reason text,
    verified_at timestamptz,
    revoked_at timestamptz,
    row_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT compliance_documents_pk PRIMARY KEY (organization_id, id),
    -- Of the partner's: another partner's keys say nothing to it.
    CONSTRAINT compliance_documents_external_id_key UNIQUE (organization_id, partner_id, external_id),
    CONSTRAINT compliance_documents_organization_fk FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id),
    CONSTRAINT compliance_documents_partner_fk FOREIGN KEY (organization_id, partner_id)
        REFERENCES partners (organization_id, id),
    CONSTRAINT compliance_documents_product_family_fk FOREIGN KEY (organization_id, product_family_id)
        REFERENCES product_families (organization_id, id),
    CONSTRAINT compliance_documents_kind_check
        CHECK (kind IN ('agreement', 'certification', 'license', 'tax_form')),
    CONSTRAINT compliance_documents_status_check CHECK (status IN ('submitted', 'verified', 'revoked')),
    CONSTRAINT compliance_documents_validity_check CHECK (valid_until >= valid_from),
    CONSTRAINT compliance_documents_moments_check CHECK (
        (status = 'submitted') = (verified_at IS NULL AND revoked_at IS NULL)
        AND (status = 'revoked') = (revoked_at IS NOT NULL))
);
CREATE INDEX compliance_documents_partner_index ON compliance_documents (organization_id, partner_id, id);
CREATE INDEX compliance_documents_product_family_index ON compliance_documents (organization_id, product_family_id)
    WHERE product_family_id IS NOT NULL;
-- What waits for an answer is found without what was answered.
CREATE INDEX compliance_documents_submitted_index ON compliance_documents (organization_id, id)
    WHERE status = 'submitted';

CREATE FUNCTION guard_compliance_document() RETURNS trigger LANGUAGE plpgsql AS
$$
DECLARE
    movable text[] := ARRAY['status', 'status_reason', 'verified_at', 'revoked_at', 'row_version', 'updated_at'];
BEGIN
    IF TG_OP = 'DELETE' OR (to_jsonb(OLD) - movable) <> (to_jsonb(NEW) - movable)
        OR OLD.verified_at IS NOT NULL AND OLD.verified_at IS DISTINCT FROM NEW.verified_at THEN
        RAISE EXCEPTION 'a compliance document never changes' USING ERRCODE = 'CP001';
    END IF;
    IF (OLD.status, NEW.status) NOT IN (('submitted', 'verified'), ('submitted', 'revoked'), ('verified', 'revoked')) THEN
        RAISE EXCEPTION 'a compliance document cannot move from % to %', OLD.status, NEW.status
            USING ERRCODE = 'CP002';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER compliance_documents_guard BEFORE UPDATE OR DELETE ON compliance_documents
    FOR EACH ROW EXECUTE FUNCTION guard_compliance_document();

SELECT protect_shared_table('compliance_documents', 'partner_id = (SELECT scope_partner())');
CREATE POLICY partners_hand_in ON compliance_documents FOR INSERT
    WITH CHECK (organization_id = (SELECT organization_id FROM caller) AND partner_id = (SELECT scope_partner())
        AND status = 'submitted');
GRANT SELECT, INSERT, UPDATE ON compliance_documents TO copartner_service;

ALTER TABLE programs
    ADD COLUMN gates jsonb NOT NULL DEFAULT '[]',
    ADD CONSTRAINT programs_gates_check CHECK (jsonb_typeof(gates) = 'array');

-- Which of a program's gates are closed to a partner before a step, at an instant, for a product family and a
-- customer's country: each by the kind of the document that would open it, and its name where the gate says which.
--
-- A document opens a gate when it was verified, is valid on the day of the instant in the program's time zone, and was
-- not revoked by then. Where it is for one product family or some countries, it opens the gate for no others; what is
-- unknown is none of them. A gate that names product families or countries is closed for those only; before registering
-- also for what does not say for which it is, because that is for all of them. Before a payment neither matters: that is
-- for everything at once.
CREATE FUNCTION closed_gates(organization uuid, program uuid, partner uuid, step text, instant timestamptz,
    family uuid, customer_country text) RETURNS text[]
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, public AS
$$
    SELECT coalesce(array_agg((gate ->> 'requires') || coalesce(': ' || (gate ->> 'document_name'), '') ORDER BY place),
        '{}')
    FROM programs g
    CROSS JOIN jsonb_array_elements(g.gates) WITH ORDINALITY AS listed (gate, place)
    WHERE g.organization_id = organization AND g.id = program AND gate ->> 'blocks' = step
        AND (gate -> 'product_family_ids' = '[]' OR gate -> 'product_family_ids' ? family::text
            OR step = 'registering' AND family IS NULL)
        AND (gate -> 'countries' = '[]' OR gate -> 'countries' ? customer_country
            OR step = 'registering' AND customer_country IS NULL)
        AND NOT EXISTS (
            SELECT FROM compliance_documents d
            WHERE d.organization_id = organization AND d.partner_id = partner AND d.kind = gate ->> 'requires'
                AND (gate ->> 'document_name' IS NULL OR lower(d.name) = lower(gate ->> 'document_name'))
                AND d.verified_at IS NOT NULL AND (d.revoked_at IS NULL OR d.revoked_at > instant)
                AND d.valid_from <= (instant AT TIME ZONE g.time_zone)::date
                AND (d.valid_until IS NULL OR d.valid_until >= (instant AT TIME ZONE g.time_zone)::date)
                AND (step = 'paying' OR d.product_family_id IS NULL OR d.product_family_id = family
                    OR family IS NULL AND gate -> 'product_family_ids' = jsonb_build_array(d.product_family_id))
                AND (step = 'paying' OR d.countries = '{}' OR customer_country = ANY (d.countries)
                    OR customer_country IS NULL AND gate -> 'countries' <> '[]'
                        AND gate -> 'countries' <@ to_jsonb(d.countries)))
$$;
GRANT EXECUTE ON FUNCTION closed_gates TO copartner_service;

-- Why something waits, with the gates that are closed.
ALTER TABLE payout_carry_forwards
    ADD COLUMN closed_gates text[] NOT NULL DEFAULT '{}',
    DROP CONSTRAINT payout_carry_forwards_reason_check,
    ADD CONSTRAINT payout_carry_forwards_reason_check CHECK (reason IN ('not_positive', 'below_minimum', 'partner_not_payable',
        'currency_not_supported', 'amount_not_supported', 'payout_method_missing', 'payout_method_cooling_off',
        'payout_method_not_supported', 'missing_rate', 'gate_closed'));
