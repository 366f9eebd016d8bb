-- Payouts that the service makes itself: transfers to partners' accounts at Stripe.

-- Where such money goes: a connected account.
ALTER TABLE payout_methods
    ADD COLUMN stripe_account text,
    DROP CONSTRAINT payout_methods_kind_check,
    ADD CONSTRAINT payout_methods_kind_check CHECK (kind IN ('manual', 'bank_account', 'stripe')),
    DROP CONSTRAINT payout_methods_details_check,
    ADD CONSTRAINT payout_methods_details_check CHECK (CASE kind
        WHEN 'manual' THEN instruction IS NOT NULL AND num_nonnulls(account_holder, iban, bic, stripe_account) = 0
        WHEN 'stripe' THEN stripe_account IS NOT NULL AND num_nonnulls(instruction, account_holder, iban, bic) = 0
        ELSE num_nonnulls(instruction, stripe_account) = 0 AND account_holder IS NOT NULL AND iban IS NOT NULL END);

ALTER TABLE payout_runs
    DROP CONSTRAINT payout_runs_rail_check,
    ADD CONSTRAINT payout_runs_rail_check CHECK (rail IN ('manual', 'csv', 'sepa', 'stripe'));

-- What is known of the transfer of a payout. All instants are by the machine's clock, which is Stripe's.
CREATE TABLE payout_transfers (
    organization_id uuid NOT NULL,
    payout_id uuid NOT NULL,
    status text NOT NULL,
    -- How often a worker took it up.
    attempts integer NOT NULL,
    -- When a worker takes it up next; meanwhile it is another worker's, or rests.
    next_attempt_at timestamptz,
    -- Since when a transfer may exist of which nothing was heard: the first sending whose answer is not known.
    uncertain_since timestamptz,
    -- A fingerprint of the secret key that it was sent with. Another key may be of another account, which knows nothing of it.
    sent_with text,
    transfer_id text,
    -- What came back of it.
    amount_reversed numeric(19, 4) NOT NULL,
    CONSTRAINT payout_transfers_pk PRIMARY KEY (organization_id, payout_id),
    CONSTRAINT payout_transfers_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id),
    CONSTRAINT payout_transfers_payout_fk FOREIGN KEY (organization_id, payout_id) REFERENCES payouts (organization_id, id),
    CONSTRAINT payout_transfers_status_check
        CHECK (status IN ('queued', 'sent', 'made', 'refused', 'unresolved', 'closed')),
    CONSTRAINT payout_transfers_due_check CHECK ((status IN ('queued', 'sent')) = (next_attempt_at IS NOT NULL)),
    -- What may have been sent is never taken for what was not.
    CONSTRAINT payout_transfers_uncertain_check CHECK (
        (uncertain_since IS NULL OR sent_with IS NOT NULL)
        AND CASE status WHEN 'queued' THEN uncertain_since IS NULL WHEN 'sent' THEN uncertain_since IS NOT NULL
            WHEN 'made' THEN transfer_id IS NOT NULL ELSE true END),
    CONSTRAINT payout_transfers_reversed_check CHECK (amount_reversed >= 0)
);
CREATE INDEX payout_transfers_due_index ON payout_transfers (organization_id, next_attempt_at)
    WHERE next_attempt_at IS NOT NULL;

-- A transfer moves along its life cycle, and what Stripe called it never changes.
CREATE FUNCTION guard_payout_transfer() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.payout_id <> NEW.payout_id OR OLD.organization_id <> NEW.organization_id
        OR OLD.transfer_id IS DISTINCT FROM NEW.transfer_id AND OLD.transfer_id IS NOT NULL
        OR NEW.amount_reversed < OLD.amount_reversed THEN
        RAISE EXCEPTION 'what is known of a transfer is never forgotten' USING ERRCODE = 'CP001';
    END IF;
    IF NOT (OLD.status = NEW.status OR (OLD.status, NEW.status) IN (
        ('queued', 'sent'), ('queued', 'made'), ('queued', 'closed'), ('sent', 'queued'), ('sent', 'made'),
        ('sent', 'refused'), ('sent', 'unresolved'), ('unresolved', 'made'), ('unresolved', 'closed'))) THEN
        RAISE EXCEPTION 'a transfer cannot move from % to %', OLD.status, NEW.status USING ERRCODE = 'CP002';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER payout_transfers_guard BEFORE UPDATE OR DELETE ON payout_transfers
    FOR EACH ROW EXECUTE FUNCTION guard_payout_transfer();

SELECT protect_organization_table('payout_transfers');
GRANT SELECT, INSERT, UPDATE ON payout_transfers TO copartner_service;
