DROP FUNCTION organizations_with_holds_over(timestamptz);
DROP TABLE ledger_entries, clawbacks, commissions, commission_rule_versions, commission_rules;
DROP FUNCTION guard_clawback();
DROP FUNCTION guard_commission();
DROP FUNCTION guard_commission_rule_version();
