-- Conflicts: several claims to one account, and who decided between them.

CREATE TABLE registration_conflicts (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    product_family_id uuid,
    kind text NOT NULL,
    policy text NOT NULL,
    status text NOT NULL,
    decision text,
    reason text,
    -- What the claims meet: one that came before, or a deal.
    incumbent_registration_id uuid,
    deal_id uuid,
    winner_registration_id uuid,
    respond_by timestamptz NOT NULL,
    decided_by uuid,
    decided_by_type text,
    decided_at timestamptz,
    row_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT registration_conflicts_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT registration_conflicts_organization_fk FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id),
    CONSTRAINT registration_conflicts_account_fk FOREIGN KEY (organization_id, account_id)
        REFERENCES accounts (organization_id, id),
    CONSTRAINT registration_conflicts_product_family_fk FOREIGN KEY (organization_id, product_family_id)
        REFERENCES product_families (organization_id, id),
    CONSTRAINT registration_conflicts_incumbent_registration_fk FOREIGN KEY
        (organization_id, incumbent_registration_id) REFERENCES deal_registrations (organization_id, id),
    CONSTRAINT registration_conflicts_deal_fk FOREIGN KEY (organization_id, deal_id)
        REFERENCES deals (organization_id, id),
    CONSTRAINT registration_conflicts_winner_registration_fk FOREIGN KEY (organization_id, winner_registration_id)
        REFERENCES deal_registrations (organization_id, id),
    CONSTRAINT registration_conflicts_kind_check CHECK (kind IN ('registration', 'deal', 'existing_customer')),
    CONSTRAINT registration_conflicts_policy_check CHECK (policy IN ('refuse', 'queue', 'co_sell_share')),
    CONSTRAINT registration_conflicts_status_check CHECK (status IN ('open', 'decided')),
    CONSTRAINT registration_conflicts_decision_check CHECK (
        decision IN ('incumbent_keeps', 'challenger_wins', 'co_sell_share', 'dismissed')
        AND num_nonnulls(decision, reason, decided_at) = 3
        OR status = 'open' AND num_nonnulls(decision, reason, decided_at) = 0),
    CONSTRAINT registration_conflicts_decided_by_type_check CHECK (decided_by_type IN ('api_key', 'user'))
);
CREATE INDEX registration_conflicts_account_index ON registration_conflicts (organization_id, account_id, id);
CREATE INDEX registration_conflicts_product_family_index ON registration_conflicts (organization_id, product_family_id)
    WHERE product_family_id IS NOT NULL;
CREATE INDEX registration_conflicts_incumbent_registration_index
    ON registration_conflicts (organization_id, incumbent_registration_id) WHERE incumbent_registration_id IS NOT NULL;
CREATE INDEX registration_conflicts_deal_index
    ON registration_conflicts (organization_id, deal_id) WHERE deal_id IS NOT NULL;
CREATE INDEX registration_conflicts_winner_registration_index
    ON registration_conflicts (organization_id, winner_registration_id) WHERE winner_registration_id IS NOT NULL;
CREATE INDEX registration_conflicts_status_index ON registration_conflicts (organization_id, status, id);

-- Who claims. One row for each claim in the conflict; a partner sees its own rows and no others.
CREATE TABLE registration_conflict_parties (
    organization_id uuid NOT NULL,
    registration_conflict_id uuid NOT NULL,
    deal_registration_id uuid NOT NULL,
    partner_id uuid NOT NULL,
    side text NOT NULL,
    evidence text,
    joined_at timestamptz NOT NULL,
    CONSTRAINT registration_conflict_parties_pk
        PRIMARY KEY (organization_id, registration_conflict_id, deal_registration_id),
    CONSTRAINT registration_conflict_parties_organization_fk FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id),
    CONSTRAINT registration_conflict_parties_registration_conflict_fk FOREIGN KEY
        (organization_id, registration_conflict_id) REFERENCES registration_conflicts (organization_id, id),
    CONSTRAINT registration_conflict_parties_deal_registration_fk FOREIGN KEY (organization_id, deal_registration_id)
        REFERENCES deal_registrations (organization_id, id),
    CONSTRAINT registration_conflict_parties_partner_fk FOREIGN KEY (organization_id, partner_id)
        REFERENCES partners (organization_id, id),
    CONSTRAINT registration_conflict_parties_side_check CHECK (side IN ('incumbent', 'challenger'))
);
CREATE INDEX registration_conflict_parties_conflict_index
    ON registration_conflict_parties (organization_id, registration_conflict_id);
CREATE INDEX registration_conflict_parties_deal_registration_index
    ON registration_conflict_parties (organization_id, deal_registration_id);
CREATE INDEX registration_conflict_parties_partner_index
    ON registration_conflict_parties (organization_id, partner_id, registration_conflict_id);

-- A function for the reason that is given with partner_sees_deal. A party is seen by its partner alone: what stands
-- above it sees the claim, but not whom it quarrels with.
CREATE FUNCTION partner_sees_conflict(conflict uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER AS
$$
DECLARE
    organization pg_catalog.uuid :=
        nullif(pg_catalog.current_setting('copartner.organization_id', true), '')::pg_catalog.uuid;
BEGIN
    RETURN EXISTS (
        SELECT FROM public.registration_conflict_parties p
        WHERE p.organization_id = organization AND p.registration_conflict_id = conflict
            AND p.partner_id = public.scope_partner());
END
$$;
SELECT protect_shared_table('registration_conflicts', 'partner_sees_conflict(id)');
SELECT protect_shared_table('registration_conflict_parties', 'partner_id = (SELECT scope_partner())');

GRANT SELECT, INSERT, UPDATE ON registration_conflicts, registration_conflict_parties TO copartner_service;
