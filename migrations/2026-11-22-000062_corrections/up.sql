-- Corrections of one credit come one after the other under its lock; ids are drawn before. Credit that was taken away may be
-- given back.
ALTER TABLE attribution_corrections ADD COLUMN number integer;
ALTER TABLE attribution_corrections DISABLE TRIGGER attribution_corrections_append_only;
UPDATE attribution_corrections c SET number = n.number
FROM (SELECT organization_id, id, row_number() OVER (PARTITION BY organization_id, attribution_id ORDER BY id) AS number
    FROM attribution_corrections) n
WHERE n.organization_id = c.organization_id AND n.id = c.id;
ALTER TABLE attribution_corrections ENABLE TRIGGER attribution_corrections_append_only;
ALTER TABLE attribution_corrections
    ALTER COLUMN number SET NOT NULL,
    ADD CONSTRAINT attribution_corrections_number_key UNIQUE (organization_id, attribution_id, number),
    DROP CONSTRAINT attribution_corrections_shares_check,
    ADD CONSTRAINT attribution_corrections_shares_check CHECK (share_before BETWEEN 0 AND 10000
        AND share_after BETWEEN 0 AND 10000 AND share_before <> share_after);
DROP INDEX attribution_corrections_attribution_index;
