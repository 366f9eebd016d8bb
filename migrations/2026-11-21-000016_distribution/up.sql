-- Distribution in tiers: whoever is above a partner sees what it does, unless it is hidden; never sideways, never up.

ALTER TABLE partners ADD COLUMN hidden_from_parent boolean NOT NULL DEFAULT false;
ALTER TABLE deals ADD COLUMN hidden_from_parent boolean NOT NULL DEFAULT false;

-- Who is below whom, at any distance, kept from partners.parent_id by triggers: what a caller sees is then one look
-- into an index and no walk through the tree. A pair is hidden when the one below, or anyone between the two, is
-- hidden from those above it: what is below a hidden partner would betray it.
CREATE TABLE partner_descendants (
    organization_id uuid NOT NULL,
    partner_id uuid NOT NULL,
    descendant_id uuid NOT NULL,
    levels integer NOT NULL,
    hidden boolean NOT NULL,
    CONSTRAINT partner_descendants_pk PRIMARY KEY (organization_id, partner_id, descendant_id),
    CONSTRAINT partner_descendants_organization_fk FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id),
    CONSTRAINT partner_descendants_partner_fk FOREIGN KEY (organization_id, partner_id)
        REFERENCES partners (organization_id, id),
    CONSTRAINT partner_descendants_descendant_fk FOREIGN KEY (organization_id, descendant_id)
        REFERENCES partners (organization_id, id),
    -- Five levels of partners.
    CONSTRAINT partner_descendants_levels_check CHECK (levels BETWEEN 1 AND 4)
);
CREATE INDEX partner_descendants_descendant_index ON partner_descendants (organization_id, descendant_id);

-- Writes anew who is above a partner and above everything below it. One transaction at a time does so in an
-- organization: two moves that are each harmless can make a circle together, and the second has to see the first.
CREATE FUNCTION place_partner(organization uuid, moved uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
DECLARE
    branch uuid[];
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('partner tree ' || organization, 0));
    PERFORM 1 FROM (
        WITH RECURSIVE above AS (
            SELECT p.parent_id FROM partners p WHERE p.organization_id = organization AND p.id = moved
            UNION SELECT p.parent_id FROM partners p JOIN above a ON p.id = a.parent_id
            WHERE p.organization_id = organization)
        SELECT FROM above a WHERE a.parent_id = moved) circle;
    IF FOUND THEN
        RAISE EXCEPTION 'a partner cannot be below itself'
            USING ERRCODE = '23514', CONSTRAINT = 'partners_circle_check', TABLE = 'partners';
    END IF;
    WITH RECURSIVE below AS (
        SELECT moved AS id
        UNION SELECT p.id FROM partners p JOIN below b ON p.parent_id = b.id WHERE p.organization_id = organization)
    SELECT array_agg(b.id) INTO branch FROM below b;
    DELETE FROM partner_descendants d WHERE d.organization_id = organization AND d.descendant_id = ANY (branch);
    INSERT INTO partner_descendants (organization_id, partner_id, descendant_id, levels, hidden)
    WITH RECURSIVE above AS (
        SELECT p.parent_id AS partner_id, p.id AS descendant_id, 1 AS levels, p.hidden_from_parent AS hidden
        FROM partners p
        WHERE p.organization_id = organization AND p.id = ANY (branch) AND p.parent_id IS NOT NULL
        UNION ALL
        SELECT p.parent_id, a.descendant_id, a.levels + 1, a.hidden OR p.hidden_from_parent
        FROM above a JOIN partners p ON p.organization_id = organization AND p.id = a.partner_id
        -- One level more than is allowed is refused by the table itself.
        WHERE p.parent_id IS NOT NULL AND a.levels < 5)
    SELECT organization, a.partner_id, a.descendant_id, a.levels, a.hidden FROM above a;
END
$$;
REVOKE EXECUTE ON FUNCTION place_partner(uuid, uuid) FROM PUBLIC;

CREATE FUNCTION keep_partner_descendants() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
BEGIN
    PERFORM place_partner(NEW.organization_id, NEW.id);
    RETURN NULL;
END
$$;
CREATE TRIGGER partners_placed AFTER INSERT ON partners
    FOR EACH ROW WHEN (NEW.parent_id IS NOT NULL) EXECUTE FUNCTION keep_partner_descendants();
CREATE TRIGGER partners_moved AFTER UPDATE ON partners
    FOR EACH ROW WHEN (OLD.parent_id IS DISTINCT FROM NEW.parent_id
        OR OLD.hidden_from_parent IS DISTINCT FROM NEW.hidden_from_parent)
    EXECUTE FUNCTION keep_partner_descendants();

SELECT place_partner(p.organization_id, p.id) FROM partners p WHERE p.parent_id IS NULL
    AND EXISTS (SELECT FROM partners c WHERE c.organization_id = p.organization_id AND c.parent_id = p.id);

SELECT protect_shared_table('partner_descendants', 'partner_id = (SELECT scope_partner()) AND NOT hidden');
GRANT SELECT ON partner_descendants TO copartner_service;

-- What a partner's callers see of tables that they share with others. These are functions for the reason that is given
-- with partner_sees_deal: a policy that names another table makes Postgres open it for every statement, also for the
-- organization's own callers. Every name says where it lives, so that no search path has to be set for each row.

-- A partner is seen by itself and by those above it.
CREATE FUNCTION partner_sees_partner(other uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER AS
$$
DECLARE
    organization pg_catalog.uuid :=
        nullif(pg_catalog.current_setting('copartner.organization_id', true), '')::pg_catalog.uuid;
    partner pg_catalog.uuid := public.scope_partner();
BEGIN
    RETURN coalesce(other = partner, false) OR EXISTS (
        SELECT FROM public.partner_descendants d
        WHERE d.organization_id = organization AND d.partner_id = partner AND d.descendant_id = other
            AND NOT d.hidden);
END
$$;

-- A deal is seen by whoever made it or has or claims credit for it, and by those above them unless it is hidden.
CREATE FUNCTION partner_sees_deal(deal uuid, made_by uuid, hidden boolean) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER AS
$$
DECLARE
    organization pg_catalog.uuid :=
        nullif(pg_catalog.current_setting('copartner.organization_id', true), '')::pg_catalog.uuid;
    partner pg_catalog.uuid := public.scope_partner();
BEGIN
    -- What is found with the least work stands first.
    RETURN coalesce(made_by = partner, false)
        OR NOT hidden AND public.partner_sees_partner(made_by)
        OR EXISTS (
            SELECT FROM public.attributions a
            WHERE a.organization_id = organization AND a.deal_id = deal AND a.status <> 'rejected'
                AND (a.partner_id = partner OR NOT hidden AND public.partner_sees_partner(a.partner_id)));
END
$$;

-- A credit is seen by whose it is, and by those above unless the deal is hidden.
CREATE FUNCTION partner_sees_attribution(credited uuid, deal uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER AS
$$
DECLARE
    organization pg_catalog.uuid :=
        nullif(pg_catalog.current_setting('copartner.organization_id', true), '')::pg_catalog.uuid;
BEGIN
    RETURN credited = public.scope_partner()
        OR public.partner_sees_partner(credited) AND EXISTS (
            SELECT FROM public.deals d
            WHERE d.organization_id = organization AND d.id = deal AND NOT d.hidden_from_parent);
END
$$;

CREATE OR REPLACE FUNCTION partner_sees_account(account uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
DECLARE
    organization uuid := nullif(current_setting('copartner.organization_id', true), '')::uuid;
BEGIN
    RETURN EXISTS (
        SELECT FROM deals d
        WHERE d.organization_id = organization AND d.account_id = account
            AND partner_sees_deal(d.id, d.partner_id, d.hidden_from_parent));
END
$$;

CREATE OR REPLACE FUNCTION partner_sees_program(program uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
DECLARE
    organization uuid := nullif(current_setting('copartner.organization_id', true), '')::uuid;
BEGIN
    RETURN EXISTS (
        SELECT FROM enrollments e
        WHERE e.organization_id = organization AND e.program_id = program AND partner_sees_partner(e.partner_id));
END
$$;

-- Only what is read grows; what may be written is decided by WITH CHECK, which stays as it was.
ALTER POLICY organization_and_partner ON partners USING (organization_id = (SELECT scope_organization())
    AND ((SELECT scope_partner()) IS NULL OR partner_sees_partner(id)));
ALTER POLICY organization_and_partner ON enrollments USING (organization_id = (SELECT scope_organization())
    AND ((SELECT scope_partner()) IS NULL OR partner_sees_partner(partner_id)));
ALTER POLICY organization_and_partner ON attributions USING (organization_id = (SELECT scope_organization())
    AND ((SELECT scope_partner()) IS NULL OR partner_sees_attribution(partner_id, deal_id)));
ALTER POLICY organization_and_partner ON deals USING (organization_id = (SELECT scope_organization())
    AND ((SELECT scope_partner()) IS NULL OR partner_sees_deal(id, partner_id, hidden_from_parent)));
DROP FUNCTION partner_sees_deal(uuid, uuid);
