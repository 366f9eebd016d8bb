ALTER TABLE adjustments
    DROP CONSTRAINT adjustments_reason_code_check,
    ADD CONSTRAINT adjustments_reason_code_check CHECK (reason_code IN ('correction', 'bonus', 'goodwill', 'dispute',
        'penalty', 'other', 'write_off'));

ALTER TABLE programs
    DROP CONSTRAINT programs_rounding_check,
    ADD CONSTRAINT programs_rounding_check CHECK (rounding IN ('half_up', 'half_even'));
