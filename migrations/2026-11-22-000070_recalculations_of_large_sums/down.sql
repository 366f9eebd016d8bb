-- Refused where something was proposed in several: an adjustment is a record and cannot be put together.
DROP INDEX adjustments_backtest_index;
DROP INDEX adjustments_backtest_key;
CREATE UNIQUE INDEX adjustments_backtest_key ON adjustments (organization_id, backtest_id, partner_id, currency)
    WHERE backtest_id IS NOT NULL;
