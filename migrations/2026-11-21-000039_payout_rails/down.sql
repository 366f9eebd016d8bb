DROP INDEX payouts_payout_method_index;
ALTER TABLE payouts DROP CONSTRAINT payouts_payout_method_fk, DROP COLUMN payout_method_id;
ALTER TABLE payout_methods DROP CONSTRAINT payout_methods_currency_key;
ALTER TABLE payout_carry_forwards
    DROP CONSTRAINT payout_carry_forwards_reason_check,
    ADD CONSTRAINT payout_carry_forwards_reason_check
        CHECK (reason IN ('not_positive', 'below_minimum', 'partner_not_payable'));
ALTER TABLE payout_runs
    DROP CONSTRAINT payout_runs_processed_check,
    DROP CONSTRAINT payout_runs_debtor_check,
    DROP CONSTRAINT payout_runs_rail_check,
    ADD CONSTRAINT payout_runs_rail_check CHECK (rail IN ('manual')),
    DROP COLUMN processed_at,
    DROP COLUMN debtor_bic,
    DROP COLUMN debtor_iban,
    DROP COLUMN debtor_name;
ALTER TABLE organizations
    DROP CONSTRAINT organizations_payout_debtor_check,
    DROP COLUMN payout_debtor_bic,
    DROP COLUMN payout_debtor_iban,
    DROP COLUMN payout_debtor_name;
