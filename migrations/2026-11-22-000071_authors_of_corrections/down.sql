ALTER TABLE attribution_corrections
    DROP COLUMN corrected_by,
    DROP COLUMN corrected_by_type,
    DROP COLUMN author_secret_makers;
