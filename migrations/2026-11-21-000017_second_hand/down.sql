ALTER TABLE payout_runs
    DROP CONSTRAINT payout_runs_second_hand_check,
    DROP COLUMN drafter_secret_makers;
ALTER TABLE api_keys
    DROP COLUMN previous_secret_made_by,
    DROP COLUMN secret_made_by;
