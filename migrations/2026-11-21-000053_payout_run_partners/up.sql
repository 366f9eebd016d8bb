-- The only partners whom a run pays, none for all of them; and those whom it leaves out.
ALTER TABLE payout_runs
    ADD COLUMN partner_ids uuid[] NOT NULL DEFAULT '{}',
    ADD COLUMN excluded_partner_ids uuid[] NOT NULL DEFAULT '{}';
