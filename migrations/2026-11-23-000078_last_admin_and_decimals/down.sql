DROP FUNCTION decimals_of(text);
DROP TRIGGER api_keys_last_admin ON api_keys;
DROP FUNCTION keep_an_admin_key();
DROP FUNCTION is_an_admin(uuid, uuid);
