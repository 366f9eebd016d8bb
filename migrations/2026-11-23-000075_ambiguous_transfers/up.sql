-- Whether a payout may have several transfers, or was paid in another way as well: then nothing that the rail tells of one of
-- them moves money, and what it told last is kept, so that it is told on once.
ALTER TABLE payout_transfers
    ADD COLUMN is_ambiguous boolean NOT NULL DEFAULT false,
    ADD COLUMN told_transfer_id text,
    ADD COLUMN told_reversed numeric(19, 4),
    ADD CONSTRAINT payout_transfers_told_check CHECK ((told_transfer_id IS NULL) = (told_reversed IS NULL)
        AND (is_ambiguous OR told_transfer_id IS NULL) AND told_reversed >= 0);
