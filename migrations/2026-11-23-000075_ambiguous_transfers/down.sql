ALTER TABLE payout_transfers DROP COLUMN told_transfer_id, DROP COLUMN told_reversed, DROP COLUMN is_ambiguous;
