ALTER TABLE api_keys ADD COLUMN secret_made_by uuid, ADD COLUMN previous_secret_made_by uuid;
UPDATE api_keys SET secret_made_by = secret_makers[1], previous_secret_made_by = previous_secret_makers[1];
ALTER TABLE api_keys DROP COLUMN secret_makers, DROP COLUMN previous_secret_makers;
