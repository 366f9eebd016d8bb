-- Which tier a partner had at an instant: what a promise rests on. It is told from the history, so that the history has to
-- be whole: a tier that was changed on the enrollment itself, in a program without a ladder, is a line of it as well.

ALTER TABLE tier_moves
    DROP CONSTRAINT tier_moves_cause_check,
    ADD CONSTRAINT tier_moves_cause_check CHECK (cause IN ('review', 'person', 'edit'));

-- As before, but what was edited stands on the enrollment already.
CREATE OR REPLACE FUNCTION note_tier_move() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
BEGIN
    IF NEW.cause = 'edit' THEN
        PERFORM FROM enrollments e WHERE e.organization_id = NEW.organization_id AND e.id = NEW.enrollment_id
            AND e.tier IS NOT DISTINCT FROM NEW.to_tier;
    ELSE
        UPDATE enrollments e SET tier = NEW.to_tier, row_version = e.row_version + 1, updated_at = NEW.moved_at
        WHERE e.organization_id = NEW.organization_id AND e.id = NEW.enrollment_id
            AND e.tier IS NOT DISTINCT FROM NEW.from_tier;
    END IF;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the enrollment stands elsewhere'
            USING ERRCODE = '23514', CONSTRAINT = 'tier_moves_from_check', TABLE = 'tier_moves';
    END IF;
    RETURN NULL;
END
$$;

-- As before, and where there is no ladder an edit is noted.
CREATE OR REPLACE FUNCTION guard_enrollment_tier() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
BEGIN
    IF NOT EXISTS (SELECT FROM tiers t
        WHERE t.organization_id = NEW.organization_id AND t.program_id = NEW.program_id) THEN
        IF TG_OP = 'UPDATE' AND pg_trigger_depth() = 1 THEN
            INSERT INTO tier_moves (organization_id, id, enrollment_id, partner_id, program_id, from_tier, to_tier,
                cause, reason, moved_by, moved_by_type, figures, moved_at)
            VALUES (NEW.organization_id, ordered_uuid(NEW.updated_at, 0), NEW.id, NEW.partner_id, NEW.program_id,
                OLD.tier, NEW.tier, 'edit', 'Changed on the enrollment.', NULL, NULL, '[]', NEW.updated_at);
        END IF;
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

-- The tier of a partner in a program as of an instant: what the first move after it left, or else what the enrollment
-- carries now. Of several enrollments, one after another, it is the last that was there by then; before the first one,
-- what that began with, which is the best that is known of imported history.
CREATE FUNCTION tier_as_of(organization uuid, partner uuid, program uuid, instant timestamptz) RETURNS text
    LANGUAGE sql STABLE AS
$$
    SELECT (coalesce(
        (SELECT ARRAY[m.from_tier] FROM tier_moves m
            WHERE m.organization_id = e.organization_id AND m.enrollment_id = e.id AND m.moved_at > instant
            ORDER BY m.moved_at, m.id LIMIT 1),
        ARRAY[e.tier]))[1]
    FROM enrollments e
    WHERE e.organization_id = organization AND e.partner_id = partner AND e.program_id = program
    ORDER BY e.created_at <= instant DESC, abs(extract(epoch FROM instant - e.created_at)) LIMIT 1
$$;
GRANT EXECUTE ON FUNCTION tier_as_of(uuid, uuid, uuid, timestamptz) TO copartner_service;
