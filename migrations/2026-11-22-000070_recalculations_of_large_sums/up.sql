-- A recalculation proposes to a partner once in each currency; what is more than one amount can be is proposed in several,
-- all of them but the last as large as an amount can be.
DROP INDEX adjustments_backtest_key;
CREATE UNIQUE INDEX adjustments_backtest_key ON adjustments (organization_id, backtest_id, partner_id, currency)
    WHERE backtest_id IS NOT NULL AND abs(amount) < 999999999999999;
CREATE INDEX adjustments_backtest_index ON adjustments (organization_id, backtest_id) WHERE backtest_id IS NOT NULL;
