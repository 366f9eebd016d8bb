ALTER TABLE payout_runs DROP COLUMN excluded_partner_ids, DROP COLUMN partner_ids;
