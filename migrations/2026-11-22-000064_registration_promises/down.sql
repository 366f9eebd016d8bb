CREATE OR REPLACE FUNCTION organizations_with_registrations_due(at timestamptz) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    SELECT o.organization_id FROM organizations o
    WHERE EXISTS (SELECT FROM deal_registrations r WHERE r.organization_id = o.organization_id
            AND r.status = 'approved' AND r.protected_until <= at + o.clock_offset
            AND NOT EXISTS (SELECT FROM registration_extensions e WHERE e.organization_id = r.organization_id
                AND e.deal_registration_id = r.id AND e.status = 'requested'
                AND e.respond_by < r.protected_until))
        OR EXISTS (SELECT FROM deal_registrations r WHERE r.organization_id = o.organization_id
            AND r.status = 'approved' AND r.remind_at <= at + o.clock_offset)
        OR EXISTS (SELECT FROM deal_registrations r WHERE r.organization_id = o.organization_id
            AND r.status IN ('submitted', 'in_review') AND r.sla_breached_at IS NULL AND r.respond_by < at + o.clock_offset)
$$;

UPDATE deal_registrations SET sla_breached_at = NULL
WHERE status IN ('submitted', 'in_review') AND sla_breached_at < respond_by;
DROP INDEX deal_registrations_waiting_index;
CREATE INDEX deal_registrations_waiting_index ON deal_registrations (organization_id, respond_by)
    WHERE status IN ('submitted', 'in_review') AND sla_breached_at IS NULL;

UPDATE registration_extensions SET status = 'refused', reason = 'The protection ended before it was answered.'
WHERE status = 'lapsed';
ALTER TABLE registration_extensions
    DROP CONSTRAINT registration_extensions_status_check,
    ADD CONSTRAINT registration_extensions_status_check CHECK (status IN ('requested', 'approved', 'refused'));
