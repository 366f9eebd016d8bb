DROP FUNCTION accounts_and_alike(uuid, uuid[]);
