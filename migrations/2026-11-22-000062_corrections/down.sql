CREATE INDEX attribution_corrections_attribution_index ON attribution_corrections (organization_id, attribution_id, id);
ALTER TABLE attribution_corrections
    DROP CONSTRAINT attribution_corrections_shares_check,
    ADD CONSTRAINT attribution_corrections_shares_check CHECK (share_before BETWEEN 1 AND 10000
        AND share_after BETWEEN 0 AND 10000 AND share_before <> share_after),
    DROP CONSTRAINT attribution_corrections_number_key,
    DROP COLUMN number;
