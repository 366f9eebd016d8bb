CREATE OR REPLACE FUNCTION claim_import(instant timestamptz, lease interval)
    RETURNS TABLE (organization_id uuid, id uuid)
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    UPDATE imports i SET status = 'running', leased_until = instant + lease,
        started_at = coalesce(i.started_at, instant), updated_at = instant
    FROM (
        SELECT w.organization_id, w.id FROM imports w
        WHERE w.status = 'queued' OR (w.status = 'running' AND (w.leased_until IS NULL OR w.leased_until < instant))
        ORDER BY w.created_at FOR UPDATE SKIP LOCKED LIMIT 1
    ) next
    WHERE i.organization_id = next.organization_id AND i.id = next.id
    RETURNING i.organization_id, i.id
$$;

CREATE OR REPLACE FUNCTION organizations_with_registrations_due(at timestamptz) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    SELECT o.organization_id FROM organizations o
    WHERE EXISTS (SELECT FROM deal_registrations r WHERE r.organization_id = o.organization_id
            AND r.status = 'approved' AND r.protected_until <= at
            AND NOT EXISTS (SELECT FROM registration_extensions e WHERE e.organization_id = r.organization_id
                AND e.deal_registration_id = r.id AND e.status = 'requested'
                AND e.respond_by < r.protected_until))
        OR EXISTS (SELECT FROM deal_registrations r WHERE r.organization_id = o.organization_id
            AND r.status = 'approved' AND r.remind_at <= at)
        OR EXISTS (SELECT FROM deal_registrations r WHERE r.organization_id = o.organization_id
            AND r.status IN ('submitted', 'in_review') AND r.sla_breached_at IS NULL AND r.respond_by < at)
$$;

CREATE OR REPLACE FUNCTION organizations_with_late_referrals(instant timestamptz) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    SELECT o.organization_id FROM organizations o
    WHERE EXISTS (SELECT FROM referrals r WHERE r.organization_id = o.organization_id AND r.status = 'submitted'
            AND r.expires_at <= instant)
        OR EXISTS (SELECT FROM referrals r WHERE r.organization_id = o.organization_id AND r.status = 'submitted'
            AND r.response_breached_at IS NULL AND r.respond_by <= instant)
$$;

CREATE OR REPLACE FUNCTION organizations_with_holds_over(instant timestamptz) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    SELECT o.organization_id FROM organizations o WHERE EXISTS (
        SELECT FROM commissions c WHERE c.organization_id = o.organization_id
            AND c.status = 'pending' AND c.release_at <= instant)
$$;

DROP FUNCTION clock_offset_of(uuid);
DROP TRIGGER organizations_clock_moved ON organizations;
DROP FUNCTION renew_callers();
DROP TRIGGER organizations_clock_guard ON organizations;
DROP FUNCTION guard_clock();
ALTER TABLE organizations
    DROP CONSTRAINT organizations_clock_mode_check,
    DROP CONSTRAINT organizations_clock_offset_check,
    DROP COLUMN clock_offset;
