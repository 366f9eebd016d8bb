-- Each of some accounts with itself and with each account that may be the same company. A claim to any of them stands in
-- the way; asked in one statement with the claims, because every new deal asks.
CREATE FUNCTION accounts_and_alike(organization uuid, ids uuid[])
    RETURNS TABLE (place uuid, account_id uuid) LANGUAGE sql STABLE ROWS 10 AS $$
    SELECT own, own FROM unnest(ids) own
    UNION ALL
    SELECT m.account_id, m.other_account_id FROM account_matches m
    WHERE m.organization_id = organization AND m.account_id = ANY (ids) AND m.status <> 'rejected'
    UNION ALL
    SELECT m.other_account_id, m.account_id FROM account_matches m
    WHERE m.organization_id = organization AND m.other_account_id = ANY (ids) AND m.status <> 'rejected'
$$;
