-- The ladder of tiers of a program, where partners stand on it, and how they came there.

CREATE TABLE tier_ladders (
    organization_id uuid NOT NULL,
    program_id uuid NOT NULL,
    period text NOT NULL,
    period_months integer,
    grace_days integer NOT NULL,
    row_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT tier_ladders_pk PRIMARY KEY (organization_id, program_id),
    CONSTRAINT tier_ladders_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id),
    CONSTRAINT tier_ladders_program_fk FOREIGN KEY (organization_id, program_id)
        REFERENCES programs (organization_id, id),
    CONSTRAINT tier_ladders_period_check CHECK (period IN ('month', 'quarter', 'year', 'rolling')
        AND (period = 'rolling') = (period_months IS NOT NULL) AND period_months BETWEEN 1 AND 36),
    CONSTRAINT tier_ladders_grace_days_check CHECK (grace_days BETWEEN 0 AND 365)
);

-- One step of a ladder. Its code is what enrollments carry and commission rules name.
CREATE TABLE tiers (
    organization_id uuid NOT NULL,
    program_id uuid NOT NULL,
    code text NOT NULL,
    rank integer NOT NULL,
    name text NOT NULL,
    external_id text,
    criteria jsonb NOT NULL,
    CONSTRAINT tiers_pk PRIMARY KEY (organization_id, program_id, code),
    CONSTRAINT tiers_rank_key UNIQUE (organization_id, program_id, rank),
    CONSTRAINT tiers_external_id_key UNIQUE (organization_id, external_id),
    CONSTRAINT tiers_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id),
    CONSTRAINT tiers_ladder_fk FOREIGN KEY (organization_id, program_id)
        REFERENCES tier_ladders (organization_id, program_id),
    CONSTRAINT tiers_rank_check CHECK (rank BETWEEN 1 AND 20)
);

-- What is known of an enrollment besides its tier: until when the tier is pinned, when it would fall, and when it is
-- looked at next; nothing is due for an enrollment that is not active.
CREATE TABLE tier_standings (
    organization_id uuid NOT NULL,
    enrollment_id uuid NOT NULL,
    partner_id uuid NOT NULL,
    program_id uuid NOT NULL,
    pinned_until timestamptz,
    pin_reason text,
    falls_at timestamptz,
    reviewed_at timestamptz,
    review_at timestamptz,
    row_version bigint NOT NULL,
    CONSTRAINT tier_standings_pk PRIMARY KEY (organization_id, enrollment_id),
    CONSTRAINT tier_standings_organization_fk FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id),
    CONSTRAINT tier_standings_enrollment_fk FOREIGN KEY (organization_id, enrollment_id)
        REFERENCES enrollments (organization_id, id),
    CONSTRAINT tier_standings_partner_fk FOREIGN KEY (organization_id, partner_id)
        REFERENCES partners (organization_id, id),
    CONSTRAINT tier_standings_ladder_fk FOREIGN KEY (organization_id, program_id)
        REFERENCES tier_ladders (organization_id, program_id),
    CONSTRAINT tier_standings_pin_check CHECK ((pinned_until IS NULL) = (pin_reason IS NULL))
);
CREATE INDEX tier_standings_partner_index ON tier_standings (organization_id, partner_id);
CREATE INDEX tier_standings_program_index ON tier_standings (organization_id, program_id);
CREATE INDEX tier_standings_due_index ON tier_standings (organization_id, review_at) WHERE review_at IS NOT NULL;

-- Every move from tier to tier, with the figures that it was decided on.
CREATE TABLE tier_moves (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    enrollment_id uuid NOT NULL,
    partner_id uuid NOT NULL,
    program_id uuid NOT NULL,
    from_tier text,
    to_tier text,
    cause text NOT NULL,
    reason text NOT NULL,
    moved_by uuid,
    moved_by_type text,
    figures jsonb NOT NULL,
    moved_at timestamptz NOT NULL,
    CONSTRAINT tier_moves_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT tier_moves_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id),
    CONSTRAINT tier_moves_enrollment_fk FOREIGN KEY (organization_id, enrollment_id)
        REFERENCES enrollments (organization_id, id),
    CONSTRAINT tier_moves_partner_fk FOREIGN KEY (organization_id, partner_id)
        REFERENCES partners (organization_id, id),
    CONSTRAINT tier_moves_program_fk FOREIGN KEY (organization_id, program_id)
        REFERENCES programs (organization_id, id),
    CONSTRAINT tier_moves_cause_check CHECK (cause IN ('review', 'person')),
    CONSTRAINT tier_moves_moved_by_type_check CHECK (moved_by_type IN ('api_key', 'user')),
    CONSTRAINT tier_moves_tier_check CHECK (from_tier IS DISTINCT FROM to_tier)
);
CREATE INDEX tier_moves_enrollment_index ON tier_moves (organization_id, enrollment_id, id);
CREATE INDEX tier_moves_partner_index ON tier_moves (organization_id, partner_id, id);
CREATE INDEX tier_moves_program_index ON tier_moves (organization_id, program_id, id);
CREATE TRIGGER tier_moves_append_only BEFORE UPDATE OR DELETE ON tier_moves
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- The enrollment carries the tier that it was moved to last. It is written here and nowhere else once the program has a
-- ladder, so that no tier changes without a line in the history. The move has to begin where the enrollment stands:
-- whoever decided on an older state is refused.
CREATE FUNCTION note_tier_move() RETURNS trigger
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
CREATE TRIGGER tier_moves_noted AFTER INSERT ON tier_moves FOR EACH ROW EXECUTE FUNCTION note_tier_move();

-- After the checks of foreign keys, which wait for whoever changes the ladder: a ladder is changed under its program's
-- lock, so that what is read here is the ladder that counts.
CREATE FUNCTION guard_enrollment_tier() RETURNS trigger
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
CREATE TRIGGER enrollments_tier_inserted AFTER INSERT ON enrollments
    FOR EACH ROW WHEN (NEW.tier IS NOT NULL) EXECUTE FUNCTION guard_enrollment_tier();
CREATE TRIGGER enrollments_tier_changed AFTER UPDATE ON enrollments
    FOR EACH ROW WHEN (OLD.tier IS DISTINCT FROM NEW.tier) EXECUTE FUNCTION guard_enrollment_tier();

-- Whoever becomes active in a program with a ladder is looked at next.
CREATE FUNCTION keep_tier_standing() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
BEGIN
    INSERT INTO tier_standings
        (organization_id, enrollment_id, partner_id, program_id, review_at, row_version)
    SELECT NEW.organization_id, NEW.id, NEW.partner_id, NEW.program_id,
        CASE WHEN NEW.status = 'active' THEN NEW.updated_at END, 1
    FROM tier_ladders l WHERE l.organization_id = NEW.organization_id AND l.program_id = NEW.program_id
    ON CONFLICT (organization_id, enrollment_id) DO UPDATE SET review_at = EXCLUDED.review_at;
    RETURN NULL;
END
$$;
CREATE TRIGGER enrollments_tier_standing_made AFTER INSERT ON enrollments
    FOR EACH ROW EXECUTE FUNCTION keep_tier_standing();
CREATE TRIGGER enrollments_tier_standing_kept AFTER UPDATE ON enrollments
    FOR EACH ROW WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION keep_tier_standing();

-- Organizations in which partners are to be looked at, each by its own clock.
CREATE FUNCTION organizations_with_tiers_due(instant timestamptz) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    SELECT o.organization_id FROM organizations o WHERE EXISTS (
        SELECT FROM tier_standings s WHERE s.organization_id = o.organization_id
            AND s.review_at <= instant + o.clock_offset)
$$;

SELECT protect_shared_table('tier_ladders', 'partner_sees_program(program_id)');
SELECT protect_shared_table('tiers', 'partner_sees_program(program_id)');
-- The only one of these tables whose rows are ever deleted: what is seen may not be deleted by a partner's session.
CREATE POLICY organization_deletes ON tiers AS RESTRICTIVE FOR DELETE
    USING (organization_id = (SELECT organization_id FROM caller) AND (SELECT scope_partner()) IS NULL);
-- Its own only: what a reseller is short of is between it and the organization.
SELECT protect_shared_table('tier_standings', 'partner_id = (SELECT scope_partner())');
SELECT protect_shared_table('tier_moves', 'partner_id = (SELECT scope_partner())');
GRANT SELECT, INSERT, UPDATE ON tier_ladders, tier_standings TO copartner_service;
GRANT SELECT, INSERT, DELETE ON tiers TO copartner_service;
GRANT SELECT, INSERT ON tier_moves TO copartner_service;
