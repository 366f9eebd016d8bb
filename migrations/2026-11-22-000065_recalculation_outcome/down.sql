CREATE OR REPLACE FUNCTION guard_backtest() RETURNS trigger LANGUAGE plpgsql AS
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

ALTER TABLE backtests DROP COLUMN adjustments_proposed;
