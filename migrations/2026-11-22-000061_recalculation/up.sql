-- A recalculation: a back-test whose findings are proposed as adjustments, for a reason, to be approved by somebody else.

ALTER TABLE backtests
    ADD COLUMN recalculation_reason text,
    -- Those who made the secret of the key that asked for it.
    ADD COLUMN author_secret_makers uuid[] NOT NULL DEFAULT '{}',
    ADD CONSTRAINT backtests_recalculation_check CHECK (recalculation_reason IS NULL
        OR num_nonnulls(created_by, created_by_type) = 2);

-- One at a time, so that each counts what the one before it proposed.
CREATE UNIQUE INDEX backtests_recalculation_key ON backtests (organization_id, program_id)
    WHERE recalculation_reason IS NOT NULL AND status IN ('queued', 'running');

ALTER TABLE adjustments
    ADD COLUMN backtest_id uuid,
    ADD CONSTRAINT adjustments_backtest_fk FOREIGN KEY (organization_id, backtest_id)
        REFERENCES backtests (organization_id, id);
-- A recalculation proposes to a partner once in each currency.
CREATE UNIQUE INDEX adjustments_backtest_key ON adjustments (organization_id, backtest_id, partner_id, currency)
    WHERE backtest_id IS NOT NULL;

-- What a correction of credit means for money, and what became of that money since: a target less what was proposed before.
ALTER TABLE adjustments
    ADD COLUMN attribution_id uuid,
    ADD CONSTRAINT adjustments_attribution_fk FOREIGN KEY (organization_id, attribution_id)
        REFERENCES attributions (organization_id, id);
CREATE INDEX adjustments_attribution_index ON adjustments (organization_id, attribution_id)
    WHERE attribution_id IS NOT NULL;

ALTER TABLE adjustments DISABLE TRIGGER adjustments_guard;
UPDATE adjustments a SET attribution_id = t.id
FROM attribution_corrections c
JOIN attributions t ON t.organization_id = c.organization_id AND t.id = c.attribution_id
WHERE a.organization_id = c.organization_id AND a.reason_code = 'correction' AND a.deal_id = t.deal_id
    AND a.partner_id = t.partner_id AND a.created_at = c.corrected_at AND a.reason = c.reason;
ALTER TABLE adjustments ENABLE TRIGGER adjustments_guard;
