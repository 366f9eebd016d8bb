ALTER TABLE deal_rules DROP COLUMN respects_partner_territories;
ALTER TABLE partners DROP CONSTRAINT partners_reason_code_check, DROP COLUMN territories, DROP COLUMN status_reason_code;
DROP TABLE partner_contacts;
DROP INDEX attributions_claimed_index;
DROP INDEX enrollments_applied_index;
DROP INDEX payout_methods_proposed_index;
