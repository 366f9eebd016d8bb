-- What a run leaves for later is a sum, and may be more than an amount can be.
ALTER TABLE payout_carry_forwards ALTER COLUMN amount TYPE numeric(28, 4);
