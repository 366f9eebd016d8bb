DROP FUNCTION release_imports();
DROP TRIGGER events_kept ON events;
DROP TRIGGER events_append_only ON events;
CREATE FUNCTION guard_event() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.sequence IS NULL AND NEW.sequence IS NOT NULL
        AND (to_jsonb(OLD) - 'sequence') = (to_jsonb(NEW) - 'sequence') THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'events is append-only' USING ERRCODE = 'CP001';
END
$$;
CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE ON events
    FOR EACH ROW EXECUTE FUNCTION guard_event();
ALTER POLICY organization_and_partner ON programs USING (organization_id = (SELECT scope_organization())
    AND ((SELECT scope_partner()) IS NULL OR EXISTS (SELECT FROM enrollments e WHERE e.organization_id =
    programs.organization_id AND e.program_id = programs.id AND e.partner_id = (SELECT scope_partner()))));
ALTER POLICY organization_and_partner ON accounts USING (organization_id = (SELECT scope_organization())
    AND ((SELECT scope_partner()) IS NULL OR EXISTS (SELECT FROM deals d WHERE d.organization_id =
    accounts.organization_id AND d.account_id = accounts.id)));
ALTER POLICY organization_and_partner ON deals USING (organization_id = (SELECT scope_organization())
    AND ((SELECT scope_partner()) IS NULL OR partner_id = (SELECT scope_partner()) OR EXISTS (SELECT FROM attributions a
    WHERE a.organization_id = deals.organization_id AND a.deal_id = deals.id
    AND a.partner_id = (SELECT scope_partner()) AND a.status <> 'rejected')));
DROP FUNCTION partner_sees_program(uuid);
DROP FUNCTION partner_sees_account(uuid);
DROP FUNCTION partner_sees_deal(uuid, uuid);
CREATE OR REPLACE FUNCTION scope_organization() RETURNS uuid
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
DECLARE
    organization uuid := nullif(current_setting('copartner.organization_id', true), '')::uuid;
    api_key uuid := nullif(current_setting('copartner.api_key_id', true), '')::uuid;
    partner uuid := nullif(current_setting('copartner.partner_id', true), '')::uuid;
BEGIN
    IF api_key IS NOT NULL THEN
        PERFORM 1 FROM api_keys k
        WHERE k.organization_id = organization AND k.id = api_key
            AND (k.revoked_at IS NULL OR k.xmin = pg_current_xact_id_if_assigned()::xid);
        IF NOT FOUND THEN
            RAISE EXCEPTION 'the API key is no longer valid' USING ERRCODE = 'CP401';
        END IF;
    END IF;
    IF partner IS NOT NULL THEN
        PERFORM 1 FROM partners p
        WHERE p.organization_id = organization AND p.id = partner AND p.status IN ('suspended', 'terminated');
        IF FOUND THEN
            RAISE EXCEPTION 'the API key is no longer valid' USING ERRCODE = 'CP401';
        END IF;
    END IF;
    RETURN organization;
END
$$;
