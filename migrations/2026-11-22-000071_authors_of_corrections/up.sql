-- Who corrected a credit, and who made the secret of the key that they came with: what follows from a correction, now or
-- when money goes back later, is proposed in their name, so that they cannot approve it.
ALTER TABLE attribution_corrections
    ADD COLUMN corrected_by uuid,
    ADD COLUMN corrected_by_type text,
    ADD COLUMN author_secret_makers uuid[] NOT NULL DEFAULT '{}',
    ADD CONSTRAINT attribution_corrections_author_check CHECK ((corrected_by IS NULL) = (corrected_by_type IS NULL));
