-- Deals and the credit of partners for them.

CREATE TABLE deals (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    external_id text,
    name text NOT NULL,
    account_id uuid NOT NULL,
    program_id uuid,
    partner_id uuid,
    product_family_id uuid,
    stage_id uuid,
    deal_type text NOT NULL,
    status text NOT NULL,
    amount numeric(19, 4) NOT NULL,
    currency text NOT NULL,
    opened_on date NOT NULL,
    expected_close_on date,
    won_at timestamptz,
    lost_at timestamptz,
    lost_reason text,
    row_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT deals_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT deals_external_id_key UNIQUE (organization_id, external_id),
    CONSTRAINT deals_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id),
    CONSTRAINT deals_account_fk FOREIGN KEY (organization_id, account_id) REFERENCES accounts (organization_id, id),
    CONSTRAINT deals_program_fk FOREIGN KEY (organization_id, program_id) REFERENCES programs (organization_id, id),
    CONSTRAINT deals_partner_fk FOREIGN KEY (organization_id, partner_id) REFERENCES partners (organization_id, id),
    CONSTRAINT deals_product_family_fk FOREIGN KEY (organization_id, product_family_id)
        REFERENCES product_families (organization_id, id),
    CONSTRAINT deals_stage_fk FOREIGN KEY (organization_id, stage_id)
        REFERENCES pipeline_stages (organization_id, id),
    CONSTRAINT deals_deal_type_check CHECK (deal_type IN ('new', 'renewal', 'expansion')),
    CONSTRAINT deals_status_check CHECK (status IN ('open', 'won', 'lost')),
    CONSTRAINT deals_won_check CHECK ((status = 'won') = (won_at IS NOT NULL)),
    CONSTRAINT deals_lost_check CHECK ((status = 'lost') = (lost_at IS NOT NULL AND lost_reason IS NOT NULL)),
    CONSTRAINT deals_currency_check CHECK (currency ~ '^[A-Z]{3}$')
);
CREATE INDEX deals_account_index ON deals (organization_id, account_id, id);
CREATE INDEX deals_program_index ON deals (organization_id, program_id, id);
CREATE INDEX deals_partner_index ON deals (organization_id, partner_id, id);
CREATE INDEX deals_product_family_index ON deals (organization_id, product_family_id) WHERE product_family_id IS NOT NULL;
CREATE INDEX deals_stage_index ON deals (organization_id, stage_id, id) WHERE stage_id IS NOT NULL;
CREATE INDEX deals_status_index ON deals (organization_id, status, id);
CREATE INDEX deals_opened_index ON deals (organization_id, opened_on, id);

CREATE TABLE attributions (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    external_id text,
    deal_id uuid NOT NULL,
    partner_id uuid NOT NULL,
    role text NOT NULL,
    share_basis_points integer NOT NULL,
    allocation_rank integer NOT NULL,
    status text NOT NULL,
    status_reason text,
    confirmed_at timestamptz,
    settled_at timestamptz,
    row_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT attributions_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT attributions_external_id_key UNIQUE (organization_id, external_id),
    CONSTRAINT attributions_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id),
    CONSTRAINT attributions_deal_fk FOREIGN KEY (organization_id, deal_id) REFERENCES deals (organization_id, id),
    CONSTRAINT attributions_partner_fk FOREIGN KEY (organization_id, partner_id)
        REFERENCES partners (organization_id, id),
    CONSTRAINT attributions_role_check CHECK (role IN ('sourced', 'influenced', 'delivered')),
    CONSTRAINT attributions_status_check CHECK (status IN ('claimed', 'confirmed', 'rejected')),
    CONSTRAINT attributions_share_check CHECK (share_basis_points BETWEEN 1 AND 10000)
);
CREATE UNIQUE INDEX attributions_deal_role_partner_key ON attributions (organization_id, deal_id, role, partner_id)
    WHERE status <> 'rejected';
CREATE UNIQUE INDEX attributions_deal_role_rank_key ON attributions (organization_id, deal_id, role, allocation_rank);
CREATE INDEX attributions_deal_index ON attributions (organization_id, deal_id);
CREATE INDEX attributions_partner_index ON attributions (organization_id, partner_id, deal_id);

-- The confirmed shares of one role on one deal never exceed the whole. The deal's row is the lock: two confirmations
-- at the same instant wait for one another and the second sees the first.
CREATE FUNCTION check_attribution_shares() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
BEGIN
    PERFORM 1 FROM deals d
    WHERE (d.organization_id, d.id) IN (SELECT c.organization_id, c.deal_id FROM changed c WHERE c.status = 'confirmed')
    ORDER BY d.organization_id, d.id FOR NO KEY UPDATE;
    PERFORM 1 FROM attributions a
    WHERE a.status = 'confirmed'
        AND (a.organization_id, a.deal_id) IN
            (SELECT c.organization_id, c.deal_id FROM changed c WHERE c.status = 'confirmed')
    GROUP BY a.organization_id, a.deal_id, a.role
    HAVING sum(a.share_basis_points) > 10000;
    IF FOUND THEN
        RAISE EXCEPTION 'confirmed shares of one role exceed 10000 basis points'
            USING ERRCODE = '23514', CONSTRAINT = 'attributions_shares_check', TABLE = 'attributions';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER attributions_shares_on_insert AFTER INSERT ON attributions
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION check_attribution_shares();
CREATE TRIGGER attributions_shares_on_update AFTER UPDATE ON attributions
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION check_attribution_shares();

SELECT protect_shared_table('deals', 'partner_id = (SELECT scope_partner()) OR EXISTS (SELECT FROM attributions a'
    ' WHERE a.organization_id = deals.organization_id AND a.deal_id = deals.id'
    ' AND a.partner_id = (SELECT scope_partner()) AND a.status <> ''rejected'')');
SELECT protect_shared_table('attributions', 'partner_id = (SELECT scope_partner())');
SELECT protect_shared_table('accounts', 'EXISTS (SELECT FROM deals d WHERE d.organization_id ='
    ' accounts.organization_id AND d.account_id = accounts.id)');

GRANT SELECT, INSERT, UPDATE ON deals, attributions TO copartner_service;
