-- Links of partners in their programs, and who came by them.

CREATE TABLE referral_links (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    partner_id uuid NOT NULL,
    program_id uuid NOT NULL,
    code text NOT NULL,
    target_url text NOT NULL,
    status text NOT NULL,
    row_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT referral_links_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT referral_links_code_key UNIQUE (organization_id, code),
    CONSTRAINT referral_links_organization_fk FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id),
    CONSTRAINT referral_links_partner_fk FOREIGN KEY (organization_id, partner_id)
        REFERENCES partners (organization_id, id),
    CONSTRAINT referral_links_program_fk FOREIGN KEY (organization_id, program_id)
        REFERENCES programs (organization_id, id),
    CONSTRAINT referral_links_status_check CHECK (status IN ('active', 'retired'))
);
CREATE INDEX referral_links_partner_index ON referral_links (organization_id, partner_id, id);
CREATE INDEX referral_links_program_index ON referral_links (organization_id, program_id, id);

-- A code leads where it always led, to whom it always led: a link is retired, and another one made.
CREATE FUNCTION guard_referral_link() RETURNS trigger LANGUAGE plpgsql AS
$$
DECLARE
    movable text[] := ARRAY['status', 'row_version', 'updated_at'];
BEGIN
    IF TG_OP = 'DELETE' OR (to_jsonb(OLD) - movable) <> (to_jsonb(NEW) - movable) THEN
        RAISE EXCEPTION 'a referral link never changes' USING ERRCODE = 'CP001';
    END IF;
    IF OLD.status = 'retired' AND NEW.status <> 'retired' THEN
        RAISE EXCEPTION 'a retired link stays retired' USING ERRCODE = 'CP002';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER referral_links_guard BEFORE UPDATE OR DELETE ON referral_links
    FOR EACH ROW EXECUTE FUNCTION guard_referral_link();

-- One row for a visitor, a link and half an hour: when the visitor first and last came in it.
CREATE TABLE clicks (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    referral_link_id uuid NOT NULL,
    partner_id uuid NOT NULL,
    program_id uuid NOT NULL,
    visitor text NOT NULL,
    window_starts_at timestamptz NOT NULL,
    clicked_at timestamptz NOT NULL,
    last_clicked_at timestamptz NOT NULL,
    referral_id uuid,
    CONSTRAINT clicks_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT clicks_window_key UNIQUE (organization_id, referral_link_id, visitor, window_starts_at),
    CONSTRAINT clicks_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id),
    CONSTRAINT clicks_referral_link_fk FOREIGN KEY (organization_id, referral_link_id)
        REFERENCES referral_links (organization_id, id),
    CONSTRAINT clicks_partner_fk FOREIGN KEY (organization_id, partner_id) REFERENCES partners (organization_id, id),
    CONSTRAINT clicks_program_fk FOREIGN KEY (organization_id, program_id) REFERENCES programs (organization_id, id),
    CONSTRAINT clicks_referral_fk FOREIGN KEY (organization_id, referral_id)
        REFERENCES referrals (organization_id, id),
    CONSTRAINT clicks_order_check CHECK (window_starts_at <= clicked_at AND clicked_at <= last_clicked_at)
);
CREATE INDEX clicks_visitor_index ON clicks (organization_id, program_id, visitor, last_clicked_at);
CREATE INDEX clicks_partner_index ON clicks (organization_id, partner_id, id);
CREATE UNIQUE INDEX clicks_referral_key ON clicks (organization_id, referral_id) WHERE referral_id IS NOT NULL;
CREATE UNIQUE INDEX clicks_converted_key ON clicks (organization_id, program_id, visitor)
    WHERE referral_id IS NOT NULL;

-- A click is what it was; only the half hour's first and last instant move apart, and it becomes a referral once.
CREATE FUNCTION guard_click() RETURNS trigger LANGUAGE plpgsql AS
$$
DECLARE
    movable text[] := ARRAY['clicked_at', 'last_clicked_at', 'referral_id'];
BEGIN
    IF TG_OP = 'DELETE' OR (to_jsonb(OLD) - movable) <> (to_jsonb(NEW) - movable)
        OR NEW.clicked_at > OLD.clicked_at OR NEW.last_clicked_at < OLD.last_clicked_at
        OR OLD.referral_id IS NOT NULL AND NEW.referral_id IS DISTINCT FROM OLD.referral_id THEN
        RAISE EXCEPTION 'a click never changes' USING ERRCODE = 'CP001';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER clicks_guard BEFORE UPDATE OR DELETE ON clicks FOR EACH ROW EXECUTE FUNCTION guard_click();

-- A partner's callers make and retire links of their own; clicks are the organization's to report.
SELECT protect_partner_table('referral_links');
SELECT protect_shared_table('clicks', 'partner_id = (SELECT scope_partner())');
GRANT SELECT, INSERT, UPDATE ON referral_links, clicks TO copartner_service;
