-- A sandbox has a clock of its own: the machine's and how far it was moved ahead. A live organization's is the machine's.
ALTER TABLE organizations
    ADD COLUMN clock_offset interval NOT NULL DEFAULT '0',
    ADD CONSTRAINT organizations_clock_offset_check CHECK (clock_offset BETWEEN '0' AND interval '36500 days'),
    ADD CONSTRAINT organizations_clock_mode_check CHECK (mode = 'sandbox' OR clock_offset = '0');

-- Time does not go back: what was done would come to lie in the future.
CREATE FUNCTION guard_clock() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public AS
$$
BEGIN
    RAISE EXCEPTION 'the clock of an organization does not go back' USING ERRCODE = 'CP001';
END
$$;
CREATE TRIGGER organizations_clock_guard BEFORE UPDATE OF clock_offset ON organizations FOR EACH ROW
    WHEN (NEW.clock_offset < OLD.clock_offset) EXECUTE FUNCTION guard_clock();

-- Every replica remembers the offset with the caller. What a caller was let in by is therefore drawn anew for all of
-- them, suspended ones too, so that each is looked up again at its next request. People first, then keys, as everywhere.
CREATE FUNCTION renew_callers() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
BEGIN
    UPDATE users SET access_version = access_version + 1 WHERE organization_id = NEW.organization_id;
    UPDATE api_keys SET access_version = access_version + 1
    WHERE organization_id = NEW.organization_id AND revoked_at IS NULL;
    RETURN NULL;
END
$$;
CREATE TRIGGER organizations_clock_moved AFTER UPDATE OF clock_offset ON organizations FOR EACH ROW
    WHEN (NEW.clock_offset <> OLD.clock_offset) EXECUTE FUNCTION renew_callers();

-- How far an organization's clock is ahead; asked together with a caller, before any scope is known. It is volatile so
-- that it looks after the caller was read: a caller that was read before an advance may come with the offset from after
-- it, which only has it looked up once more, but never the other way around.
CREATE FUNCTION clock_offset_of(organization uuid) RETURNS interval
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    SELECT coalesce((SELECT o.clock_offset FROM organizations o WHERE o.organization_id = organization), '0')
$$;

-- What is due by each organization's own clock, while `instant` is what the machine's clock shows.
CREATE OR REPLACE FUNCTION organizations_with_holds_over(instant timestamptz) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    SELECT o.organization_id FROM organizations o WHERE EXISTS (
        SELECT FROM commissions c WHERE c.organization_id = o.organization_id
            AND c.status = 'pending' AND c.release_at <= instant + o.clock_offset)
$$;

CREATE OR REPLACE FUNCTION organizations_with_late_referrals(instant timestamptz) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    SELECT o.organization_id FROM organizations o
    WHERE EXISTS (SELECT FROM referrals r WHERE r.organization_id = o.organization_id AND r.status = 'submitted'
            AND r.expires_at <= instant + o.clock_offset)
        OR EXISTS (SELECT FROM referrals r WHERE r.organization_id = o.organization_id AND r.status = 'submitted'
            AND r.response_breached_at IS NULL AND r.respond_by <= instant + o.clock_offset)
$$;

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

-- Leases go by the machine's clock, what is told of an import by its organization's. The oldest is found by its id,
-- which is made by the machine's clock: a sandbox's import would else wait behind all others.
CREATE OR REPLACE FUNCTION claim_import(instant timestamptz, lease interval)
    RETURNS TABLE (organization_id uuid, id uuid)
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    UPDATE imports i SET status = 'running', leased_until = instant + lease,
        started_at = coalesce(i.started_at, instant + next.clock_offset), updated_at = instant + next.clock_offset
    FROM (
        SELECT w.organization_id, w.id, o.clock_offset
        FROM imports w JOIN organizations o ON o.organization_id = w.organization_id
        WHERE w.status = 'queued' OR (w.status = 'running' AND (w.leased_until IS NULL OR w.leased_until < instant))
        ORDER BY w.id FOR UPDATE OF w SKIP LOCKED LIMIT 1
    ) next
    WHERE i.organization_id = next.organization_id AND i.id = next.id
    RETURNING i.organization_id, i.id
$$;
