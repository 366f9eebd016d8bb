ALTER TABLE payout_carry_forwards ALTER COLUMN amount TYPE numeric(19, 4);
