DROP TABLE payout_transfers;
DROP FUNCTION guard_payout_transfer();
ALTER TABLE payout_runs
    DROP CONSTRAINT payout_runs_rail_check,
    ADD CONSTRAINT payout_runs_rail_check CHECK (rail IN ('manual', 'csv', 'sepa'));
ALTER TABLE payout_methods
    DROP CONSTRAINT payout_methods_details_check,
    ADD CONSTRAINT payout_methods_details_check CHECK (CASE kind
        WHEN 'manual' THEN instruction IS NOT NULL AND num_nonnulls(account_holder, iban, bic) = 0
        ELSE instruction IS NULL AND account_holder IS NOT NULL AND iban IS NOT NULL END),
    DROP CONSTRAINT payout_methods_kind_check,
    ADD CONSTRAINT payout_methods_kind_check CHECK (kind IN ('manual', 'bank_account')),
    DROP COLUMN stripe_account;
