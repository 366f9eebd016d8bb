-- Refused where such a sum was carried: it is a record and cannot be made smaller.
ALTER TABLE payout_carry_forwards ALTER COLUMN amount TYPE numeric(19, 4);
