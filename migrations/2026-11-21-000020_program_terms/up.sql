-- The written terms of programs, version by version, and who accepted which.

CREATE TABLE program_terms (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    program_id uuid NOT NULL,
    number integer NOT NULL,
    version text NOT NULL,
    document_url text NOT NULL,
    summary text,
    created_at timestamptz NOT NULL,
    CONSTRAINT program_terms_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT program_terms_version_key UNIQUE (organization_id, program_id, version),
    CONSTRAINT program_terms_number_key UNIQUE (organization_id, program_id, number),
    CONSTRAINT program_terms_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id),
    CONSTRAINT program_terms_program_fk FOREIGN KEY (organization_id, program_id)
        REFERENCES programs (organization_id, id)
);
CREATE TRIGGER program_terms_append_only BEFORE UPDATE OR DELETE ON program_terms
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE terms_acceptances (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    program_terms_id uuid NOT NULL,
    enrollment_id uuid NOT NULL,
    partner_id uuid NOT NULL,
    accepted_by uuid NOT NULL,
    accepted_by_type text NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT terms_acceptances_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT terms_acceptances_enrollment_key UNIQUE (organization_id, enrollment_id, program_terms_id),
    CONSTRAINT terms_acceptances_organization_fk FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id),
    CONSTRAINT terms_acceptances_terms_fk FOREIGN KEY (organization_id, program_terms_id)
        REFERENCES program_terms (organization_id, id),
    CONSTRAINT terms_acceptances_enrollment_fk FOREIGN KEY (organization_id, enrollment_id)
        REFERENCES enrollments (organization_id, id),
    CONSTRAINT terms_acceptances_partner_fk FOREIGN KEY (organization_id, partner_id)
        REFERENCES partners (organization_id, id),
    CONSTRAINT terms_acceptances_accepted_by_type_check CHECK (accepted_by_type IN ('api_key', 'user'))
);
CREATE INDEX terms_acceptances_terms_index ON terms_acceptances (organization_id, program_terms_id);
CREATE INDEX terms_acceptances_partner_index ON terms_acceptances (organization_id, partner_id, id);
CREATE TRIGGER terms_acceptances_append_only BEFORE UPDATE OR DELETE ON terms_acceptances
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- The enrollment says which version was accepted last. A partner's callers do not write enrollments, therefore by a
-- trigger with the owner's rights.
CREATE FUNCTION note_terms_acceptance() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
BEGIN
    UPDATE enrollments e
    SET terms_version = t.version, row_version = e.row_version + 1, updated_at = NEW.created_at
    FROM program_terms t
    WHERE t.organization_id = NEW.organization_id AND t.id = NEW.program_terms_id
        AND e.organization_id = NEW.organization_id AND e.id = NEW.enrollment_id;
    RETURN NULL;
END
$$;
CREATE TRIGGER terms_acceptances_noted AFTER INSERT ON terms_acceptances
    FOR EACH ROW EXECUTE FUNCTION note_terms_acceptance();

SELECT protect_shared_table('program_terms', 'partner_sees_program(program_id)');
SELECT protect_partner_table('terms_acceptances');
GRANT SELECT, INSERT ON program_terms, terms_acceptances TO copartner_service;
