-- Leads that partners hand over, who answers them, and what became of them.

CREATE TABLE referrals (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    external_id text,
    partner_id uuid NOT NULL,
    program_id uuid NOT NULL,
    status text NOT NULL,
    status_reason text,
    rejection_code text,
    company_name text NOT NULL,
    company_domain text,
    country text,
    contact_name text,
    contact_email text,
    product_family_id uuid,
    amount numeric(19, 4),
    currency text,
    is_public_tender boolean NOT NULL,
    qualification jsonb NOT NULL,
    note text,
    respond_by timestamptz,
    first_response_at timestamptz,
    response_breached_at timestamptz,
    expires_at timestamptz NOT NULL,
    duplicate_of_id uuid,
    deal_id uuid,
    row_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT referrals_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT referrals_external_id_key UNIQUE (organization_id, external_id),
    CONSTRAINT referrals_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id),
    CONSTRAINT referrals_partner_fk FOREIGN KEY (organization_id, partner_id)
        REFERENCES partners (organization_id, id),
    CONSTRAINT referrals_program_fk FOREIGN KEY (organization_id, program_id)
        REFERENCES programs (organization_id, id),
    CONSTRAINT referrals_product_family_fk FOREIGN KEY (organization_id, product_family_id)
        REFERENCES product_families (organization_id, id),
    CONSTRAINT referrals_duplicate_of_fk FOREIGN KEY (organization_id, duplicate_of_id)
        REFERENCES referrals (organization_id, id),
    CONSTRAINT referrals_deal_fk FOREIGN KEY (organization_id, deal_id) REFERENCES deals (organization_id, id),
    CONSTRAINT referrals_status_check CHECK (status IN
        ('submitted', 'accepted', 'rejected', 'duplicate', 'withdrawn', 'expired', 'converted')),
    CONSTRAINT referrals_rejection_check CHECK ((status = 'rejected') = (rejection_code IS NOT NULL)),
    CONSTRAINT referrals_duplicate_check
        CHECK ((status = 'duplicate') = (duplicate_of_id IS NOT NULL) AND duplicate_of_id <> id),
    CONSTRAINT referrals_converted_check CHECK ((status = 'converted') = (deal_id IS NOT NULL)),
    CONSTRAINT referrals_money_check CHECK ((amount IS NULL) = (currency IS NULL))
);
CREATE UNIQUE INDEX referrals_deal_key ON referrals (organization_id, deal_id) WHERE deal_id IS NOT NULL;
CREATE INDEX referrals_partner_index ON referrals (organization_id, partner_id, id);
CREATE INDEX referrals_program_index ON referrals (organization_id, program_id, id);
CREATE INDEX referrals_status_index ON referrals (organization_id, status, id);
CREATE INDEX referrals_product_family_index ON referrals (organization_id, product_family_id)
    WHERE product_family_id IS NOT NULL;
CREATE INDEX referrals_duplicate_of_index ON referrals (organization_id, duplicate_of_id)
    WHERE duplicate_of_id IS NOT NULL;
CREATE INDEX referrals_waiting_index ON referrals (organization_id, respond_by)
    WHERE status = 'submitted' AND response_breached_at IS NULL;
CREATE INDEX referrals_expiry_index ON referrals (organization_id, expires_at) WHERE status = 'submitted';

-- What was submitted and promised never changes, and the status moves only along its life cycle.
CREATE FUNCTION guard_referral() RETURNS trigger LANGUAGE plpgsql AS
$$
DECLARE
    movable text[] := ARRAY['external_id', 'status', 'status_reason', 'rejection_code', 'first_response_at',
        'response_breached_at', 'duplicate_of_id', 'deal_id', 'row_version', 'updated_at'];
BEGIN
    IF TG_OP = 'DELETE' OR (to_jsonb(OLD) - movable) <> (to_jsonb(NEW) - movable) THEN
        RAISE EXCEPTION 'what was submitted never changes' USING ERRCODE = 'CP001';
    END IF;
    IF NOT (OLD.status = NEW.status OR (OLD.status, NEW.status) IN (
        ('submitted', 'accepted'), ('submitted', 'rejected'), ('submitted', 'duplicate'), ('submitted', 'withdrawn'),
        ('submitted', 'expired'), ('accepted', 'converted'))) THEN
        RAISE EXCEPTION 'a referral cannot move from % to %', OLD.status, NEW.status USING ERRCODE = 'CP002';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER referrals_guard BEFORE UPDATE OR DELETE ON referrals
    FOR EACH ROW EXECUTE FUNCTION guard_referral();

-- What happened to a referral, as its partner may read it.
CREATE TABLE referral_moves (
    organization_id uuid NOT NULL,
    referral_id uuid NOT NULL,
    number bigint NOT NULL,
    partner_id uuid NOT NULL,
    status text NOT NULL,
    moved_by text NOT NULL,
    reason_code text,
    reason text,
    moved_at timestamptz NOT NULL,
    CONSTRAINT referral_moves_pk PRIMARY KEY (organization_id, referral_id, number),
    CONSTRAINT referral_moves_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id),
    CONSTRAINT referral_moves_referral_fk FOREIGN KEY (organization_id, referral_id)
        REFERENCES referrals (organization_id, id),
    CONSTRAINT referral_moves_partner_fk FOREIGN KEY (organization_id, partner_id)
        REFERENCES partners (organization_id, id),
    CONSTRAINT referral_moves_moved_by_check CHECK (moved_by IN ('partner', 'organization', 'service'))
);
CREATE INDEX referral_moves_partner_index ON referral_moves (organization_id, partner_id);
CREATE TRIGGER referral_moves_append_only BEFORE UPDATE OR DELETE ON referral_moves
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Who answers a referral. A table of its own, since partners do not learn who works for the organization.
CREATE TABLE referral_assignments (
    organization_id uuid NOT NULL,
    referral_id uuid NOT NULL,
    owner_id uuid NOT NULL,
    assigned_at timestamptz NOT NULL,
    CONSTRAINT referral_assignments_pk PRIMARY KEY (organization_id, referral_id),
    CONSTRAINT referral_assignments_organization_fk FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id),
    CONSTRAINT referral_assignments_referral_fk FOREIGN KEY (organization_id, referral_id)
        REFERENCES referrals (organization_id, id),
    CONSTRAINT referral_assignments_owner_fk FOREIGN KEY (organization_id, owner_id)
        REFERENCES users (organization_id, id)
);
CREATE INDEX referral_assignments_owner_index ON referral_assignments (organization_id, owner_id, referral_id);

-- To whom referrals of a program go: to the first route that fits, and on it to one owner after the other.
CREATE TABLE referral_routes (
    organization_id uuid NOT NULL,
    program_id uuid NOT NULL,
    position integer NOT NULL,
    countries text[] NOT NULL,
    product_family_ids uuid[] NOT NULL,
    minimum_amount numeric(19, 4),
    currency text,
    owner_ids uuid[] NOT NULL,
    turns bigint NOT NULL,
    CONSTRAINT referral_routes_pk PRIMARY KEY (organization_id, program_id, position),
    CONSTRAINT referral_routes_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id),
    CONSTRAINT referral_routes_program_fk FOREIGN KEY (organization_id, program_id)
        REFERENCES programs (organization_id, id),
    CONSTRAINT referral_routes_owners_check CHECK (cardinality(owner_ids) > 0),
    CONSTRAINT referral_routes_money_check CHECK ((minimum_amount IS NULL) = (currency IS NULL))
);

-- Gives a referral its owner. A partner's caller sees neither the routes nor the people that they lead to, and submits
-- all the same: therefore with the owner's rights, and only for a referral that the caller sees and nobody has yet.
CREATE FUNCTION route_referral(referral uuid) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
DECLARE
    organization uuid := scope_organization();
    partner uuid := scope_partner();
    lead referrals%ROWTYPE;
    route referral_routes%ROWTYPE;
    owners uuid[];
    turn bigint;
    chosen uuid;
BEGIN
    SELECT * INTO lead FROM referrals r
    WHERE r.organization_id = organization AND r.id = referral AND (partner IS NULL OR r.partner_id = partner);
    FOR route IN
        SELECT * FROM referral_routes r
        WHERE r.organization_id = organization AND r.program_id = lead.program_id
            AND (cardinality(r.countries) = 0 OR lead.country = ANY (r.countries))
            AND (cardinality(r.product_family_ids) = 0 OR lead.product_family_id = ANY (r.product_family_ids))
            AND (r.minimum_amount IS NULL OR lead.currency = r.currency AND lead.amount >= r.minimum_amount)
        ORDER BY r.position
    LOOP
        SELECT array_agg(u.id ORDER BY o.place) INTO owners
        FROM unnest(route.owner_ids) WITH ORDINALITY o (id, place)
        JOIN users u ON u.organization_id = organization AND u.id = o.id AND u.status = 'active';
        CONTINUE WHEN owners IS NULL;
        UPDATE referral_routes r SET turns = r.turns + 1
        WHERE r.organization_id = organization AND r.program_id = route.program_id AND r.position = route.position
        RETURNING r.turns INTO turn;
        chosen := owners[1 + (turn - 1) % cardinality(owners)];
        INSERT INTO referral_assignments (organization_id, referral_id, owner_id, assigned_at)
        VALUES (organization, referral, chosen, lead.created_at) ON CONFLICT DO NOTHING;
        RETURN chosen;
    END LOOP;
    RETURN NULL;
END
$$;

-- Organizations that have referrals which the service itself has to move.
CREATE FUNCTION organizations_with_late_referrals(instant timestamptz) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    SELECT o.organization_id FROM organizations o
    WHERE EXISTS (SELECT FROM referrals r WHERE r.organization_id = o.organization_id AND r.status = 'submitted'
            AND r.expires_at <= instant)
        OR EXISTS (SELECT FROM referrals r WHERE r.organization_id = o.organization_id AND r.status = 'submitted'
            AND r.response_breached_at IS NULL AND r.respond_by <= instant)
$$;

SELECT protect_partner_table('referrals');
-- A partner's callers submit and withdraw; they decide nothing.
ALTER POLICY organization_and_partner ON referrals WITH CHECK (organization_id = (SELECT scope_organization())
    AND ((SELECT scope_partner()) IS NULL
        OR partner_id = (SELECT scope_partner()) AND status IN ('submitted', 'withdrawn')));
SELECT protect_partner_table('referral_moves');
ALTER POLICY organization_and_partner ON referral_moves WITH CHECK (organization_id = (SELECT scope_organization())
    AND ((SELECT scope_partner()) IS NULL OR partner_id = (SELECT scope_partner())
        AND status IN ('submitted', 'withdrawn') AND moved_by = 'partner'));
SELECT protect_organization_table('referral_assignments');
SELECT protect_organization_table('referral_routes');

GRANT SELECT, INSERT, UPDATE ON referrals, referral_assignments TO copartner_service;
GRANT SELECT, INSERT ON referral_moves TO copartner_service;
GRANT SELECT, INSERT, DELETE ON referral_routes TO copartner_service;
