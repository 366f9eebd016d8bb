-- How much a recalculation proposed. One that finds the difference of an earlier one again proposes nothing, and says so.
ALTER TABLE backtests
    ADD COLUMN adjustments_proposed bigint,
    ADD CONSTRAINT backtests_adjustments_proposed_check CHECK (adjustments_proposed IS NULL
        OR adjustments_proposed >= 0 AND recalculation_reason IS NOT NULL AND status = 'succeeded');

ALTER TABLE backtests DISABLE TRIGGER backtests_guard;
UPDATE backtests b SET adjustments_proposed = (SELECT count(*) FROM adjustments a
    WHERE a.organization_id = b.organization_id AND a.backtest_id = b.id)
WHERE b.recalculation_reason IS NOT NULL AND b.status = 'succeeded';
ALTER TABLE backtests ENABLE TRIGGER backtests_guard;

CREATE OR REPLACE FUNCTION guard_backtest() RETURNS trigger LANGUAGE plpgsql AS
$$
DECLARE
    movable text[] := ARRAY['status', 'lines_done', 'outcome', 'error_code', 'leased_until', 'started_at',
        'finished_at', 'adjustments_proposed', 'row_version', 'updated_at'];
BEGIN
    IF TG_OP = 'DELETE' OR OLD.status IN ('succeeded', 'failed')
        OR (to_jsonb(OLD) - movable) <> (to_jsonb(NEW) - movable) THEN
        RAISE EXCEPTION 'a back-test is kept as it was' USING ERRCODE = 'CP001';
    END IF;
    RETURN NEW;
END
$$;
