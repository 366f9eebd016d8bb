DROP FUNCTION next_allocation_rank(uuid, text);
ALTER POLICY organization_and_partner ON attributions WITH CHECK (organization_id = (SELECT scope_organization())
    AND (SELECT scope_partner()) IS NULL);
DROP TABLE attribution_corrections;
DROP TRIGGER attributions_evidence_on_update ON attributions;
DROP TRIGGER attributions_evidence_on_insert ON attributions;
DROP FUNCTION check_attribution_evidence();
ALTER TABLE attributions DROP COLUMN touchpoint_ids;
DROP TABLE touchpoints;
DROP FUNCTION guard_touchpoint();
ALTER TABLE deals DROP COLUMN crm_partner_influence, DROP COLUMN crm_partner_source;
