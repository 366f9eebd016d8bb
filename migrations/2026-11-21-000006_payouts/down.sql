DROP TABLE payout_carry_forwards, payout_items, payouts, payout_runs;
DROP FUNCTION guard_payout();
DROP FUNCTION ordered_uuid(timestamptz, bigint);
