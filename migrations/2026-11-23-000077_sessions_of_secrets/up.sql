-- A session is not made of what is being replaced: whoever makes one waits for whoever changes the key or the provider that
-- it comes from, and is looked at anew then.
CREATE FUNCTION hold_credential_of_session() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
BEGIN
    PERFORM 1 FROM api_keys k
    WHERE k.organization_id = NEW.organization_id AND k.id = NEW.api_key_id FOR SHARE;
    PERFORM 1 FROM identity_providers i
    WHERE i.organization_id = NEW.organization_id AND i.id = NEW.identity_provider_id FOR SHARE;
    PERFORM scope_organization();
    RETURN NEW;
END
$$;
CREATE TRIGGER sessions_credential BEFORE INSERT ON sessions
    FOR EACH ROW EXECUTE FUNCTION hold_credential_of_session();
