DROP FUNCTION account_candidates(text, text, text[], text[], integer[], boolean, integer);
DROP FUNCTION organizations_with_keys_wanted(integer);
DROP TRIGGER accounts_keys_outdated ON accounts;
DROP TRIGGER accounts_keys_wanted ON accounts;
DROP FUNCTION mark_changed_account();
DROP FUNCTION mark_new_accounts();
DROP TABLE account_match_keys;
DROP EXTENSION btree_gin;
DROP EXTENSION pg_trgm;
