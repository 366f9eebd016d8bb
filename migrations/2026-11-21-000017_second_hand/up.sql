-- Who knows the secret of a key besides its holder: whoever made it. A run is not approved by the hand that drafted it,
-- with whichever key.
ALTER TABLE api_keys
    -- The person, or the key that belongs to nobody, who created the key or rotated it last.
    ADD COLUMN secret_made_by uuid,
    -- The same for the secret before, which stays good for an overlap.
    ADD COLUMN previous_secret_made_by uuid;
UPDATE api_keys k SET secret_made_by = coalesce((SELECT maker.owner_id FROM api_keys maker
    WHERE maker.organization_id = k.organization_id AND maker.id = k.created_by AND k.created_by_type = 'api_key'),
    k.created_by);

ALTER TABLE payout_runs
    ADD COLUMN drafter_secret_makers uuid[] NOT NULL DEFAULT '{}',
    ADD CONSTRAINT payout_runs_second_hand_check CHECK (approved_by <> ALL (drafter_secret_makers));

-- The same for what else takes two people.
ALTER TABLE adjustments
    ADD COLUMN author_secret_makers uuid[] NOT NULL DEFAULT '{}',
    ADD CONSTRAINT adjustments_second_hand_check CHECK (approved_by <> ALL (author_secret_makers));
ALTER TABLE payout_methods
    ADD COLUMN author_secret_makers uuid[] NOT NULL DEFAULT '{}',
    ADD CONSTRAINT payout_methods_second_hand_check CHECK (confirmed_by <> ALL (author_secret_makers));
