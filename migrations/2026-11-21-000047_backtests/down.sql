DROP FUNCTION release_backtests();
DROP FUNCTION claim_backtest(timestamptz, interval);
DROP TABLE backtests;
DROP FUNCTION guard_backtest();
