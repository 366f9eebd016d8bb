-- Promises to registrants: what was not answered before a protection ended lapses with it, a missed promise is noted by
-- when it was made for and kept when the claim is submitted again, and no end is announced while the clock stands still.

ALTER TABLE registration_extensions
    DROP CONSTRAINT registration_extensions_status_check,
    ADD CONSTRAINT registration_extensions_status_check
        CHECK (status IN ('requested', 'approved', 'refused', 'lapsed'));
UPDATE registration_extensions e SET status = 'lapsed', row_version = row_version + 1
WHERE status = 'requested' AND NOT EXISTS (SELECT FROM deal_registrations r
    WHERE r.organization_id = e.organization_id AND r.id = e.deal_registration_id AND r.status = 'approved'
        -- What was asked before the present protection began was about one that ended.
        AND e.created_at >= r.protected_from);
UPDATE deal_registrations SET sla_breached_at = respond_by WHERE sla_breached_at > respond_by;

DROP INDEX deal_registrations_waiting_index;
CREATE INDEX deal_registrations_waiting_index ON deal_registrations (organization_id, respond_by)
    WHERE status IN ('submitted', 'in_review') AND (sla_breached_at IS NULL OR sla_breached_at < respond_by);

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
            AND r.status = 'approved' AND r.remind_at <= at + o.clock_offset
            AND NOT EXISTS (SELECT FROM registration_extensions e WHERE e.organization_id = r.organization_id
                AND e.deal_registration_id = r.id AND e.status = 'requested'
                AND e.respond_by <= at + o.clock_offset))
        OR EXISTS (SELECT FROM deal_registrations r WHERE r.organization_id = o.organization_id
            AND r.status IN ('submitted', 'in_review') AND (r.sla_breached_at IS NULL OR r.sla_breached_at < r.respond_by)
            AND r.respond_by < at + o.clock_offset)
$$;
