-- Programs that cut down to the unit that is full, and adjustments that are paid before they are earned.
ALTER TABLE programs
    DROP CONSTRAINT programs_rounding_check,
    ADD CONSTRAINT programs_rounding_check CHECK (rounding IN ('half_up', 'half_even', 'down'));

ALTER TABLE adjustments
    DROP CONSTRAINT adjustments_reason_code_check,
    ADD CONSTRAINT adjustments_reason_code_check CHECK (reason_code IN ('correction', 'bonus', 'goodwill', 'dispute',
        'penalty', 'other', 'write_off', 'advance'));
