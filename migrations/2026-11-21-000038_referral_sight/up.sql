-- Whoever is above a partner sees the leads that it hands over, unless it hid one.

ALTER TABLE referrals ADD COLUMN hidden_from_parent boolean NOT NULL DEFAULT false;

-- A lead is seen from above unless it is hidden, or became a deal that is. Functions for the reason that is given with
-- partner_sees_deal.
CREATE FUNCTION partner_sees_lead(made_by uuid, hidden boolean, deal uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER AS
$$
DECLARE
    organization pg_catalog.uuid :=
        nullif(pg_catalog.current_setting('copartner.organization_id', true), '')::pg_catalog.uuid;
BEGIN
    RETURN NOT hidden AND public.partner_sees_partner(made_by) AND NOT EXISTS (
        SELECT FROM public.deals d
        WHERE d.organization_id = organization AND d.id = deal AND d.hidden_from_parent);
END
$$;

CREATE FUNCTION partner_sees_referral(referral uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER AS
$$
DECLARE
    organization pg_catalog.uuid :=
        nullif(pg_catalog.current_setting('copartner.organization_id', true), '')::pg_catalog.uuid;
BEGIN
    RETURN EXISTS (
        SELECT FROM public.referrals r
        WHERE r.organization_id = organization AND r.id = referral
            AND public.partner_sees_lead(r.partner_id, r.hidden_from_parent, r.deal_id));
END
$$;

-- Only what is read grows; what may be written is decided by WITH CHECK, which stays as it was.
ALTER POLICY organization_and_partner ON referrals USING (organization_id = (SELECT organization_id FROM caller)
    AND ((SELECT scope_partner()) IS NULL OR partner_id = (SELECT scope_partner())
        OR partner_sees_lead(partner_id, hidden_from_parent, deal_id)));
ALTER POLICY organization_and_partner ON referral_moves USING (organization_id = (SELECT organization_id FROM caller)
    AND ((SELECT scope_partner()) IS NULL OR partner_id = (SELECT scope_partner())
        OR partner_sees_referral(referral_id)));
