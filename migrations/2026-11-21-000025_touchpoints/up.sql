-- Evidence for credit, claims by partners themselves, and what the CRM says about partners.

-- What the CRM says stands beside what is found out here and is never mixed with it.
ALTER TABLE deals ADD COLUMN crm_partner_source text, ADD COLUMN crm_partner_influence text;

CREATE TABLE touchpoints (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    external_id text,
    deal_id uuid NOT NULL,
    partner_id uuid NOT NULL,
    kind text NOT NULL,
    occurred_at timestamptz NOT NULL,
    contact text,
    note text,
    link text,
    recorded_by_partner boolean NOT NULL,
    status text NOT NULL,
    status_reason text,
    voided_at timestamptz,
    row_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT touchpoints_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT touchpoints_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id),
    CONSTRAINT touchpoints_deal_fk FOREIGN KEY (organization_id, deal_id) REFERENCES deals (organization_id, id),
    CONSTRAINT touchpoints_partner_fk FOREIGN KEY (organization_id, partner_id)
        REFERENCES partners (organization_id, id),
    CONSTRAINT touchpoints_external_id_key UNIQUE (organization_id, external_id),
    CONSTRAINT touchpoints_kind_check CHECK (kind IN ('introduction', 'meeting', 'demo', 'procurement_help', 'click',
        'implementation', 'opened_the_door', 'validated_the_case', 'supported_procurement', 'unblocked_legal',
        'implemented')),
    CONSTRAINT touchpoints_status_check CHECK (status IN ('recorded', 'voided')),
    CONSTRAINT touchpoints_voided_check CHECK ((status = 'voided') = (voided_at IS NOT NULL AND status_reason IS NOT NULL))
);
CREATE INDEX touchpoints_deal_index ON touchpoints (organization_id, deal_id, partner_id, id);
CREATE INDEX touchpoints_partner_index ON touchpoints (organization_id, partner_id, id);

-- Evidence never changes: a mistake is voided, once, and what was meant is recorded anew.
CREATE FUNCTION guard_touchpoint() RETURNS trigger LANGUAGE plpgsql AS
$$
DECLARE
    movable text[] := ARRAY['status', 'status_reason', 'voided_at', 'row_version', 'updated_at'];
BEGIN
    IF TG_OP = 'DELETE' OR (to_jsonb(OLD) - movable) <> (to_jsonb(NEW) - movable) OR OLD.status <> 'recorded' THEN
        RAISE EXCEPTION 'a touchpoint never changes' USING ERRCODE = 'CP001';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER touchpoints_guard BEFORE UPDATE OR DELETE ON touchpoints
    FOR EACH ROW EXECUTE FUNCTION guard_touchpoint();

SELECT protect_partner_table('touchpoints');
-- A partner's callers record for their own partner, of what they see, and take back what they recorded themselves.
ALTER POLICY organization_and_partner ON touchpoints WITH CHECK (organization_id = (SELECT scope_organization())
    AND ((SELECT scope_partner()) IS NULL
        OR partner_id = (SELECT scope_partner()) AND recorded_by_partner AND external_id IS NULL));
GRANT SELECT, INSERT, UPDATE ON touchpoints TO copartner_service;

-- What a claim rests on: touchpoints of the same partner for the same deal. None is ever deleted, so that the trigger
-- has to look only when the list is written.
ALTER TABLE attributions ADD COLUMN touchpoint_ids uuid[] NOT NULL DEFAULT '{}';
CREATE FUNCTION check_attribution_evidence() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
BEGIN
    PERFORM 1 FROM unnest(NEW.touchpoint_ids) AS named (id)
    WHERE NOT EXISTS (
        SELECT FROM touchpoints t
        WHERE t.organization_id = NEW.organization_id AND t.id = named.id
            AND t.deal_id = NEW.deal_id AND t.partner_id = NEW.partner_id);
    IF FOUND THEN
        RAISE EXCEPTION 'evidence of another deal or partner'
            USING ERRCODE = '23514', CONSTRAINT = 'attributions_evidence_check', TABLE = 'attributions';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER attributions_evidence_on_insert BEFORE INSERT ON attributions
    FOR EACH ROW WHEN (NEW.touchpoint_ids <> '{}') EXECUTE FUNCTION check_attribution_evidence();
CREATE TRIGGER attributions_evidence_on_update BEFORE UPDATE OF touchpoint_ids ON attributions
    FOR EACH ROW WHEN (NEW.touchpoint_ids <> OLD.touchpoint_ids) EXECUTE FUNCTION check_attribution_evidence();

-- What settled credit was before each correction: which share a line was earned with, and what was true at an instant.
CREATE TABLE attribution_corrections (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    attribution_id uuid NOT NULL,
    share_before integer NOT NULL,
    share_after integer NOT NULL,
    reason text NOT NULL,
    corrected_at timestamptz NOT NULL,
    CONSTRAINT attribution_corrections_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT attribution_corrections_organization_fk FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id),
    CONSTRAINT attribution_corrections_attribution_fk FOREIGN KEY (organization_id, attribution_id)
        REFERENCES attributions (organization_id, id),
    CONSTRAINT attribution_corrections_shares_check CHECK (share_before BETWEEN 1 AND 10000
        AND share_after BETWEEN 0 AND 10000 AND share_before <> share_after)
);
CREATE INDEX attribution_corrections_attribution_index ON attribution_corrections (organization_id, attribution_id, id);
CREATE TRIGGER attribution_corrections_append_only BEFORE UPDATE OR DELETE ON attribution_corrections
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
SELECT protect_organization_table('attribution_corrections');
GRANT SELECT, INSERT ON attribution_corrections TO copartner_service;

-- A partner's callers claim for their own partner; nothing that they write counts. Reading stays as it was.
ALTER POLICY organization_and_partner ON attributions WITH CHECK (organization_id = (SELECT scope_organization())
    AND ((SELECT scope_partner()) IS NULL
        OR partner_id = (SELECT scope_partner()) AND status = 'claimed' AND external_id IS NULL));

-- The rank of the next credit in a role of a deal. A partner's caller sees no credit of others, and what it would take
-- for the next rank was theirs; and it must not be told what it was given, or it would know how many others there are.
-- The deal's row is the lock, as for the shares.
CREATE FUNCTION next_allocation_rank(deal uuid, wanted text) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
DECLARE
    organization uuid := scope_organization();
BEGIN
    PERFORM 1 FROM deals d WHERE d.organization_id = organization AND d.id = deal FOR NO KEY UPDATE;
    RETURN (SELECT coalesce(max(a.allocation_rank), 0) + 1 FROM attributions a
        WHERE a.organization_id = organization AND a.deal_id = deal AND a.role = wanted);
END
$$;
REVOKE EXECUTE ON FUNCTION next_allocation_rank(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION next_allocation_rank(uuid, text) TO copartner_service;
