DROP VIEW seen_conflicts;
-- A function for the reason that is given with partner_sees_deal. A party is seen by its partner alone: what stands
-- above it sees the claim, but not whom it quarrels with.
CREATE FUNCTION partner_sees_conflict(conflict uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER AS
$$
DECLARE
    organization pg_catalog.uuid :=
        nullif(pg_catalog.current_setting('copartner.organization_id', true), '')::pg_catalog.uuid;
BEGIN
    RETURN EXISTS (
        SELECT FROM public.registration_conflict_parties p
        WHERE p.organization_id = organization AND p.registration_conflict_id = conflict
            AND p.partner_id = public.scope_partner());
END
$$;
DROP POLICY organization_only ON registration_conflicts;
SELECT protect_shared_table('registration_conflicts', 'partner_sees_conflict(id)');
DROP INDEX referrals_open_name_index;
DROP INDEX referrals_open_domain_index;
CREATE OR REPLACE FUNCTION guard_referral() RETURNS trigger LANGUAGE plpgsql AS
$$
DECLARE
    movable text[] := ARRAY['external_id', 'status', 'status_reason', 'rejection_code', 'first_response_at',
        'response_breached_at', 'duplicate_of_id', 'deal_id', 'row_version', 'updated_at'];
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
ALTER TABLE referrals DROP COLUMN name_key, DROP COLUMN domain_key;
-- What the older form has no word for is told as what it is nearest to.
UPDATE registration_conflicts SET kind = 'deal' WHERE kind IN ('referral', 'similar_account');
DROP INDEX registration_conflicts_referral_index;
ALTER TABLE registration_conflicts
    DROP CONSTRAINT registration_conflicts_kind_check,
    ADD CONSTRAINT registration_conflicts_kind_check CHECK (kind IN ('registration', 'deal', 'existing_customer')),
    DROP CONSTRAINT registration_conflicts_referral_fk,
    DROP COLUMN referral_id;
ALTER TABLE account_merges DROP COLUMN moved_registrations;
DROP TRIGGER registration_conflicts_follow_merged_account_later ON registration_conflicts;
DROP TRIGGER registration_conflicts_follow_merged_account ON registration_conflicts;
DROP TRIGGER deal_registrations_follow_merged_account_later ON deal_registrations;
DROP TRIGGER deal_registrations_follow_merged_account ON deal_registrations;
