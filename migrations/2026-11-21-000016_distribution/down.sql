CREATE FUNCTION partner_sees_deal(deal uuid, made_by uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
DECLARE
    organization uuid := nullif(current_setting('copartner.organization_id', true), '')::uuid;
    partner uuid := scope_partner();
BEGIN
    RETURN made_by IS NOT DISTINCT FROM partner OR EXISTS (
        SELECT FROM attributions a
        WHERE a.organization_id = organization AND a.deal_id = deal AND a.partner_id = partner
            AND a.status <> 'rejected');
END
$$;
CREATE OR REPLACE FUNCTION partner_sees_account(account uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
DECLARE
    organization uuid := nullif(current_setting('copartner.organization_id', true), '')::uuid;
BEGIN
    RETURN EXISTS (
        SELECT FROM deals d
        WHERE d.organization_id = organization AND d.account_id = account AND partner_sees_deal(d.id, d.partner_id));
END
$$;
CREATE OR REPLACE FUNCTION partner_sees_program(program uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
DECLARE
    organization uuid := nullif(current_setting('copartner.organization_id', true), '')::uuid;
    partner uuid := scope_partner();
BEGIN
    RETURN EXISTS (
        SELECT FROM enrollments e
        WHERE e.organization_id = organization AND e.program_id = program AND e.partner_id = partner);
END
$$;
ALTER POLICY organization_and_partner ON partners USING (organization_id = (SELECT scope_organization())
    AND ((SELECT scope_partner()) IS NULL OR id = (SELECT scope_partner())));
ALTER POLICY organization_and_partner ON enrollments USING (organization_id = (SELECT scope_organization())
    AND ((SELECT scope_partner()) IS NULL OR partner_id = (SELECT scope_partner())));
ALTER POLICY organization_and_partner ON attributions USING (organization_id = (SELECT scope_organization())
    AND ((SELECT scope_partner()) IS NULL OR partner_id = (SELECT scope_partner())));
ALTER POLICY organization_and_partner ON deals USING (organization_id = (SELECT scope_organization())
    AND ((SELECT scope_partner()) IS NULL OR partner_sees_deal(id, partner_id)));
DROP FUNCTION partner_sees_attribution(uuid, uuid);
DROP FUNCTION partner_sees_deal(uuid, uuid, boolean);
DROP FUNCTION partner_sees_partner(uuid);
DROP TRIGGER partners_moved ON partners;
DROP TRIGGER partners_placed ON partners;
DROP FUNCTION keep_partner_descendants();
DROP FUNCTION place_partner(uuid, uuid);
DROP TABLE partner_descendants;
ALTER TABLE deals DROP COLUMN hidden_from_parent;
ALTER TABLE partners DROP COLUMN hidden_from_parent;
