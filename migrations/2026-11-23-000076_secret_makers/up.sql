-- Who may know the secret of a key besides its holder: the key or the person that made it, whose that key is, and whoever
-- might have known its secret then. Kept as it was when the secret was made, so that no later change of a key in between,
-- and no owner in between, breaks the chain.
ALTER TABLE api_keys
    ADD COLUMN secret_makers uuid[] NOT NULL DEFAULT '{}',
    -- The same for the secret before, which stays good for an overlap.
    ADD COLUMN previous_secret_makers uuid[] NOT NULL DEFAULT '{}';
WITH RECURSIVE makers AS (
    SELECT k.organization_id, k.id AS key_id, m.id, m.is_previous FROM api_keys k
    CROSS JOIN LATERAL (VALUES (k.secret_made_by, false), (k.previous_secret_made_by, true),
        (CASE WHEN k.created_by_type = 'api_key' THEN k.created_by END, false)) AS m (id, is_previous)
    WHERE m.id IS NOT NULL
    UNION
    SELECT x.organization_id, x.key_id, m.id, x.is_previous FROM makers x
    JOIN api_keys k ON k.organization_id = x.organization_id AND k.id = x.id
    CROSS JOIN LATERAL unnest(ARRAY[k.secret_made_by, k.previous_secret_made_by, k.owner_id,
        CASE WHEN k.created_by_type = 'api_key' THEN k.created_by END]) AS m (id)
    WHERE m.id IS NOT NULL)
UPDATE api_keys k SET
    secret_makers = ARRAY(SELECT DISTINCT m.id FROM makers m
        WHERE m.organization_id = k.organization_id AND m.key_id = k.id AND NOT m.is_previous),
    previous_secret_makers = ARRAY(SELECT DISTINCT m.id FROM makers m
        WHERE m.organization_id = k.organization_id AND m.key_id = k.id AND m.is_previous);
ALTER TABLE api_keys DROP COLUMN secret_made_by, DROP COLUMN previous_secret_made_by;
