-- Claims, merges of accounts and referrals, which were built apart, know of one another.

-- Whatever names an account goes to the survivor, also when a merge was committed in between.
CREATE TRIGGER deal_registrations_follow_merged_account BEFORE INSERT ON deal_registrations
    FOR EACH ROW EXECUTE FUNCTION follow_merged_account();
CREATE TRIGGER deal_registrations_follow_merged_account_later BEFORE UPDATE ON deal_registrations
    FOR EACH ROW WHEN (OLD.account_id IS DISTINCT FROM NEW.account_id) EXECUTE FUNCTION follow_merged_account();
CREATE TRIGGER registration_conflicts_follow_merged_account BEFORE INSERT ON registration_conflicts
    FOR EACH ROW EXECUTE FUNCTION follow_merged_account();
CREATE TRIGGER registration_conflicts_follow_merged_account_later BEFORE UPDATE ON registration_conflicts
    FOR EACH ROW WHEN (OLD.account_id IS DISTINCT FROM NEW.account_id) EXECUTE FUNCTION follow_merged_account();

ALTER TABLE account_merges ADD COLUMN moved_registrations bigint NOT NULL DEFAULT 0;
ALTER TABLE account_merges ALTER COLUMN moved_registrations DROP DEFAULT;

-- A claim may meet a referral, or an account that is merely like its own.
ALTER TABLE registration_conflicts
    ADD COLUMN referral_id uuid,
    ADD CONSTRAINT registration_conflicts_referral_fk FOREIGN KEY (organization_id, referral_id)
        REFERENCES referrals (organization_id, id),
    DROP CONSTRAINT registration_conflicts_kind_check,
    ADD CONSTRAINT registration_conflicts_kind_check
        CHECK (kind IN ('registration', 'deal', 'referral', 'existing_customer', 'similar_account'));
CREATE INDEX registration_conflicts_referral_index
    ON registration_conflicts (organization_id, referral_id) WHERE referral_id IS NOT NULL;

-- The keys by which open referrals are found for an account. They are the service's own and follow its rules, unlike
-- what was submitted. Plain texts, since Postgres asks for nothing else before it has asked whose a row is.
ALTER TABLE referrals ADD COLUMN domain_key text, ADD COLUMN name_key text;
CREATE OR REPLACE FUNCTION guard_referral() RETURNS trigger LANGUAGE plpgsql AS
$$
DECLARE
    movable text[] := ARRAY['external_id', 'status', 'status_reason', 'rejection_code', 'first_response_at',
        'response_breached_at', 'duplicate_of_id', 'deal_id', 'domain_key', 'name_key', 'row_version', 'updated_at'];
BEGIN
    IF TG_OP = 'DELETE' OR (to_jsonb(OLD) - movable) <> (to_jsonb(NEW) - movable) THEN
        RAISE EXCEPTION 'what was submitted never changes' USING ERRCODE = 'CP001';
    END IF;
    IF NOT (OLD.status = NEW.status OR (OLD.status, NEW.status) IN (
        ('submitted', 'accepted'), ('submitted', 'rejected'), ('submitted', 'duplicate'), ('submitted', 'withdrawn'),
        ('submitted', 'expired'), ('accepted', 'converted'))) THEN
        RAISE EXCEPTION 'a referral cannot move from % to %', OLD.status, NEW.status USING ERRCODE = 'CP002';
    END IF;
    RETURN NEW;
END
$$;
UPDATE referrals SET domain_key = lower(company_domain), name_key = lower(company_name);
CREATE INDEX referrals_open_domain_index ON referrals (organization_id, domain_key)
    WHERE status IN ('submitted', 'accepted') AND domain_key IS NOT NULL;
CREATE INDEX referrals_open_name_index ON referrals (organization_id, name_key)
    WHERE status IN ('submitted', 'accepted') AND name_key IS NOT NULL;

-- A conflict's row names the rival's claim and the account that was found for it, which no party may read. Parties are
-- shown its own side by a view: columns that are none of their business hold a value that says nothing.
ALTER POLICY organization_and_partner ON registration_conflicts
    USING (organization_id = (SELECT organization_id FROM caller) AND (SELECT scope_partner()) IS NULL)
    WITH CHECK (organization_id = (SELECT organization_id FROM caller) AND (SELECT scope_partner()) IS NULL);
ALTER POLICY organization_and_partner ON registration_conflicts RENAME TO organization_only;
DROP FUNCTION partner_sees_conflict(uuid);
CREATE VIEW seen_conflicts WITH (security_barrier) AS
    SELECT c.* FROM registration_conflicts c
    WHERE c.organization_id = (SELECT organization_id FROM caller) AND (SELECT scope_partner()) IS NULL
    UNION ALL
    SELECT c.organization_id, c.id, '00000000-0000-0000-0000-000000000000'::uuid, NULL, 'registration', 'refuse',
        c.status, c.decision, NULL, NULL, NULL,
        (SELECT p.deal_registration_id FROM registration_conflict_parties p
            WHERE p.organization_id = c.organization_id AND p.registration_conflict_id = c.id
                AND p.partner_id = (SELECT scope_partner()) AND p.deal_registration_id = c.winner_registration_id),
        c.respond_by, NULL, NULL, c.decided_at, c.row_version, c.created_at, c.updated_at, NULL
    FROM registration_conflicts c
    WHERE c.organization_id = (SELECT organization_id FROM caller) AND c.id IN (
        SELECT p.registration_conflict_id FROM registration_conflict_parties p
        WHERE p.organization_id = (SELECT organization_id FROM caller) AND p.partner_id = (SELECT scope_partner()));
GRANT SELECT ON seen_conflicts TO copartner_service;
