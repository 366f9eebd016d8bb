DROP FUNCTION tier_as_of(uuid, uuid, uuid, timestamptz);
CREATE OR REPLACE FUNCTION guard_enrollment_tier() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
BEGIN
    IF NOT EXISTS (SELECT FROM tiers t
        WHERE t.organization_id = NEW.organization_id AND t.program_id = NEW.program_id) THEN
        RETURN NULL;
    END IF;
    IF NEW.tier IS NOT NULL AND NOT EXISTS (SELECT FROM tiers t WHERE t.organization_id = NEW.organization_id
        AND t.program_id = NEW.program_id AND t.code = NEW.tier) THEN
        RAISE EXCEPTION 'the ladder of the program has no such tier'
            USING ERRCODE = '23514', CONSTRAINT = 'enrollments_tier_check', TABLE = 'enrollments';
    END IF;
    IF TG_OP = 'UPDATE' AND pg_trigger_depth() = 1 THEN
        RAISE EXCEPTION 'a tier of a ladder changes with a move only'
            USING ERRCODE = '23514', CONSTRAINT = 'enrollments_tier_move_check', TABLE = 'enrollments';
    END IF;
    RETURN NULL;
END
$$;
CREATE OR REPLACE FUNCTION note_tier_move() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
BEGIN
    UPDATE enrollments e SET tier = NEW.to_tier, row_version = e.row_version + 1, updated_at = NEW.moved_at
    WHERE e.organization_id = NEW.organization_id AND e.id = NEW.enrollment_id
        AND e.tier IS NOT DISTINCT FROM NEW.from_tier;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the enrollment stands elsewhere'
            USING ERRCODE = '23514', CONSTRAINT = 'tier_moves_from_check', TABLE = 'tier_moves';
    END IF;
    RETURN NULL;
END
$$;
ALTER TABLE tier_moves DISABLE TRIGGER tier_moves_append_only;
DELETE FROM tier_moves WHERE cause = 'edit';
ALTER TABLE tier_moves ENABLE TRIGGER tier_moves_append_only;
ALTER TABLE tier_moves
    DROP CONSTRAINT tier_moves_cause_check,
    ADD CONSTRAINT tier_moves_cause_check CHECK (cause IN ('review', 'person'));
