ALTER POLICY organization_and_partner ON referral_moves USING (organization_id = (SELECT organization_id FROM caller)
    AND ((SELECT scope_partner()) IS NULL OR partner_id = (SELECT scope_partner())));
ALTER POLICY organization_and_partner ON referrals USING (organization_id = (SELECT organization_id FROM caller)
    AND ((SELECT scope_partner()) IS NULL OR partner_id = (SELECT scope_partner())));
DROP FUNCTION partner_sees_referral(uuid);
DROP FUNCTION partner_sees_lead(uuid, boolean, uuid);
ALTER TABLE referrals DROP COLUMN hidden_from_parent;
