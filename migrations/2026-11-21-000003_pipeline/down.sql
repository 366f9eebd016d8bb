DROP POLICY organization_and_partner ON accounts;
ALTER TABLE accounts DISABLE ROW LEVEL SECURITY;
DROP POLICY organization_and_partner ON deals;
DROP TABLE attributions, deals;
DROP FUNCTION check_attribution_shares();
