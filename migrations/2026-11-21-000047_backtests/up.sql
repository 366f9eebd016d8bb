-- Back-tests: what a version of a rule would have paid in a past period, beside what was paid. Computed by the worker from
-- what is recorded; nothing else is written than the result.

CREATE TABLE backtests (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    program_id uuid NOT NULL,
    commission_rule_id uuid NOT NULL,
    rule_version_id uuid NOT NULL,
    -- The terms as they were when it was asked for: a draft may change afterwards.
    terms_hash text NOT NULL,
    from_on date NOT NULL,
    until_on date NOT NULL,
    -- The same in the program's time zone.
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    status text NOT NULL,
    lines_done bigint NOT NULL,
    outcome jsonb,
    error_code text,
    created_by uuid,
    created_by_type text,
    -- While a worker has the job it renews this; a job whose lease is over is begun anew by another.
    leased_until timestamptz,
    started_at timestamptz,
    finished_at timestamptz,
    row_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT backtests_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT backtests_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id),
    CONSTRAINT backtests_program_fk FOREIGN KEY (organization_id, program_id)
        REFERENCES programs (organization_id, id),
    CONSTRAINT backtests_rule_fk FOREIGN KEY (organization_id, commission_rule_id)
        REFERENCES commission_rules (organization_id, id),
    CONSTRAINT backtests_rule_version_fk FOREIGN KEY (organization_id, rule_version_id)
        REFERENCES commission_rule_versions (organization_id, id),
    CONSTRAINT backtests_period_check CHECK (from_on < until_on AND starts_at < ends_at),
    CONSTRAINT backtests_status_check CHECK (status IN ('queued', 'running', 'succeeded', 'failed')
        AND (status = 'succeeded') = (outcome IS NOT NULL) AND (status = 'failed') = (error_code IS NOT NULL)
        AND (status IN ('succeeded', 'failed')) = (finished_at IS NOT NULL)),
    CONSTRAINT backtests_created_by_type_check CHECK (created_by_type IN ('api_key', 'user'))
);
CREATE INDEX backtests_program_index ON backtests (organization_id, program_id);
CREATE INDEX backtests_rule_index ON backtests (organization_id, commission_rule_id);
CREATE INDEX backtests_rule_version_index ON backtests (organization_id, rule_version_id);
CREATE INDEX backtests_waiting_index ON backtests (organization_id, created_at)
    WHERE status IN ('queued', 'running');

-- What was asked never changes, and neither does an outcome.
CREATE FUNCTION guard_backtest() RETURNS trigger LANGUAGE plpgsql AS
$$
DECLARE
    movable text[] := ARRAY['status', 'lines_done', 'outcome', 'error_code', 'leased_until', 'started_at',
        'finished_at', 'row_version', 'updated_at'];
BEGIN
    IF TG_OP = 'DELETE' OR OLD.status IN ('succeeded', 'failed')
        OR (to_jsonb(OLD) - movable) <> (to_jsonb(NEW) - movable) THEN
        RAISE EXCEPTION 'a back-test is kept as it was' USING ERRCODE = 'CP001';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER backtests_guard BEFORE UPDATE OR DELETE ON backtests
    FOR EACH ROW EXECUTE FUNCTION guard_backtest();

-- Takes the oldest waiting back-test of any organization for this worker, or one whose worker is gone.
CREATE FUNCTION claim_backtest(instant timestamptz, lease interval)
    RETURNS TABLE (organization_id uuid, id uuid)
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    UPDATE backtests b SET status = 'running', leased_until = instant + lease, lines_done = 0,
        started_at = instant + clock_offset_of(b.organization_id), row_version = b.row_version + 1,
        updated_at = instant + clock_offset_of(b.organization_id)
    FROM (
        SELECT w.organization_id, w.id FROM backtests w
        WHERE w.status = 'queued' OR (w.status = 'running' AND (w.leased_until IS NULL OR w.leased_until < instant))
        ORDER BY w.created_at FOR UPDATE SKIP LOCKED LIMIT 1
    ) next
    WHERE b.organization_id = next.organization_id AND b.id = next.id
    RETURNING b.organization_id, b.id
$$;

-- For whoever knows that no worker is left, because the database was its own and has just been started.
CREATE FUNCTION release_backtests() RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$ UPDATE backtests SET leased_until = NULL WHERE status = 'running' $$;

SELECT protect_organization_table('backtests');
GRANT SELECT, INSERT, UPDATE ON backtests TO copartner_service;
