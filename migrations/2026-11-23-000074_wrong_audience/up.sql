-- The providers of a token's issuer, those first that take its audience: a token for somebody else is refused by the
-- others, in whose login history that stands.
DROP FUNCTION identity_providers_of_token(text, text[], uuid);
CREATE FUNCTION identity_providers_of_token(token_issuer text, token_audiences text[], organization uuid)
    RETURNS TABLE (organization_id uuid, id uuid, partner_id uuid, jwks_url text, jwks jsonb, fetched_jwks jsonb,
        fetched_at timestamptz, algorithms text[], subject_claim text, email_claim text, name_claim text,
        partner_claim text, email_domains text[], accepts_unverified_email boolean, second_factor_methods text[],
        second_factor_classes text[], access_version bigint, is_active boolean,
        takes_audience boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    SELECT i.organization_id, i.id, i.partner_id, i.jwks_url, i.jwks, i.fetched_jwks, i.fetched_at, i.algorithms,
        i.subject_claim, i.email_claim, i.name_claim, i.partner_claim, i.email_domains, i.accepts_unverified_email,
        i.second_factor_methods, i.second_factor_classes, i.access_version, i.status = 'active',
        i.audiences && token_audiences
    FROM identity_providers i
    WHERE i.issuer = token_issuer AND (organization IS NULL OR i.organization_id = organization)
    ORDER BY NOT i.audiences && token_audiences, i.partner_id IS NOT NULL, i.status, i.created_at LIMIT 20
$$;
