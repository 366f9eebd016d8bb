DROP TABLE payout_methods;
DROP FUNCTION guard_payout_method();
ALTER TABLE organizations DROP COLUMN payout_method_cooling_off_hours;
