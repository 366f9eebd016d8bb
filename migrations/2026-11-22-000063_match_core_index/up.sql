-- The names' own words by themselves. In the index that has the organization in front, a search goes through all that the
-- organization has; where that is most of the table, Postgres takes this one instead.
CREATE INDEX account_match_keys_core_alone_index ON account_match_keys USING gin (core gin_trgm_ops);
