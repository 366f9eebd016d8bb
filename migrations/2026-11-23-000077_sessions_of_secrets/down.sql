DROP TRIGGER sessions_credential ON sessions;
DROP FUNCTION hold_credential_of_session();
