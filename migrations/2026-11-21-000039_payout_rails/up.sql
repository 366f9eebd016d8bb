-- Payouts by a file that a bank takes: only to accounts that were confirmed and have cooled off.

-- From which account credit transfers are made.
ALTER TABLE organizations
    ADD COLUMN payout_debtor_name text,
    ADD COLUMN payout_debtor_iban text,
    ADD COLUMN payout_debtor_bic text,
    ADD CONSTRAINT organizations_payout_debtor_check CHECK (
        (payout_debtor_name IS NULL) = (payout_debtor_iban IS NULL)
        AND (payout_debtor_bic IS NULL OR payout_debtor_iban IS NOT NULL));

-- What a run's file is made of is kept as it was: from where it pays since it was drafted, and when it began to pay.
ALTER TABLE payout_runs
    ADD COLUMN debtor_name text,
    ADD COLUMN debtor_iban text,
    ADD COLUMN debtor_bic text,
    ADD COLUMN processed_at timestamptz,
    DROP CONSTRAINT payout_runs_rail_check,
    ADD CONSTRAINT payout_runs_rail_check CHECK (rail IN ('manual', 'csv', 'sepa')),
    ADD CONSTRAINT payout_runs_debtor_check CHECK (
        (rail = 'sepa') = (debtor_iban IS NOT NULL) AND (debtor_name IS NULL) = (debtor_iban IS NULL)
        AND (debtor_bic IS NULL OR debtor_iban IS NOT NULL)),
    ADD CONSTRAINT payout_runs_processed_check CHECK (
        rail = 'manual' OR (status IN ('processing', 'completed')) = (processed_at IS NOT NULL));

ALTER TABLE payout_carry_forwards
    DROP CONSTRAINT payout_carry_forwards_reason_check,
    ADD CONSTRAINT payout_carry_forwards_reason_check CHECK (reason IN ('not_positive', 'below_minimum',
        'partner_not_payable', 'currency_not_supported', 'amount_not_supported', 'payout_method_missing',
        'payout_method_cooling_off', 'payout_method_not_supported'));

-- A payout goes to an account of its own partner in its own currency, or to none that is known here. `guard_payout` keeps
-- it from being changed.
ALTER TABLE payout_methods ADD CONSTRAINT payout_methods_currency_key UNIQUE (organization_id, partner_id, currency, id);
ALTER TABLE payouts
    ADD COLUMN payout_method_id uuid,
    ADD CONSTRAINT payouts_payout_method_fk FOREIGN KEY (organization_id, partner_id, currency, payout_method_id)
        REFERENCES payout_methods (organization_id, partner_id, currency, id);
CREATE INDEX payouts_payout_method_index ON payouts (organization_id, partner_id, currency, payout_method_id)
    WHERE payout_method_id IS NOT NULL;
