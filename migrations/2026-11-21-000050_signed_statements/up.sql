-- Statements are signed, and their text names whom a letter names: the organization and the partner, as they were called
-- when it was issued. What was issued before has a text without these, and is signed with the next issue.

-- The text of a statement, the same for ever: keys in the order of jsonb, amounts with four decimals, instants in UTC.
-- The letterhead is what is known at the moment of issue only: names, and the hash of the statement before.
DROP FUNCTION statement_document(uuid, uuid, text, integer, date, text, numeric[], timestamptz, jsonb);
CREATE FUNCTION statement_document(id uuid, partner_id uuid, currency text, number integer, month date, time_zone text,
    figures numeric[], issued_at timestamptz, letterhead jsonb, lines jsonb) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE AS
$$
    SELECT (jsonb_build_object('statement_id', id, 'partner_id', partner_id, 'currency', currency, 'number', number,
        'month', to_char(month, 'YYYY-MM'), 'time_zone', time_zone,
        'opening', figures[1]::numeric(19, 4)::text, 'earned', figures[2]::numeric(19, 4)::text,
        'reversed', figures[3]::numeric(19, 4)::text, 'adjusted', figures[4]::numeric(19, 4)::text,
        'paid', figures[5]::numeric(19, 4)::text, 'closing', figures[6]::numeric(19, 4)::text,
        'issued_at', to_char(issued_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'note', 'A posting stands on the statement of the month in which it was recorded, '
            || 'though it may have happened earlier.',
        'lines', lines)
        || CASE WHEN figures[7] <> 0 THEN jsonb_build_object('exchanged', figures[7]::numeric(19, 4)::text)
            ELSE '{}' END
        || letterhead)::text
$$;

-- The public halves of the keys that statements are signed with. They stay as long as statements do; the private halves
-- are nowhere but in the memory of the replica that made them.
CREATE TABLE statement_keys (
    organization_id uuid NOT NULL,
    key_id text NOT NULL,
    public_key jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT statement_keys_pk PRIMARY KEY (organization_id, key_id),
    CONSTRAINT statement_keys_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id)
);
CREATE TRIGGER statement_keys_append_only BEFORE UPDATE OR DELETE ON statement_keys
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- The signature of a statement's text: detached (RFC 7515, appendix F), a header and a signature with nothing in between.
CREATE TABLE statement_signatures (
    organization_id uuid NOT NULL,
    statement_id uuid NOT NULL,
    partner_id uuid NOT NULL,
    key_id text NOT NULL,
    signature text NOT NULL,
    CONSTRAINT statement_signatures_pk PRIMARY KEY (organization_id, statement_id),
    CONSTRAINT statement_signatures_organization_fk FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id),
    CONSTRAINT statement_signatures_statement_fk FOREIGN KEY (organization_id, statement_id)
        REFERENCES statements (organization_id, id),
    CONSTRAINT statement_signatures_partner_fk FOREIGN KEY (organization_id, partner_id)
        REFERENCES partners (organization_id, id),
    CONSTRAINT statement_signatures_key_fk FOREIGN KEY (organization_id, key_id)
        REFERENCES statement_keys (organization_id, key_id),
    CONSTRAINT statement_signatures_signature_check CHECK (signature ~ '^[A-Za-z0-9_-]+\.\.[A-Za-z0-9_-]+$')
);
CREATE INDEX statement_signatures_partner_index ON statement_signatures (organization_id, partner_id);
CREATE INDEX statement_signatures_key_index ON statement_signatures (organization_id, key_id);
CREATE TRIGGER statement_signatures_append_only BEFORE UPDATE OR DELETE ON statement_signatures
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- No statement is issued without its signature: by the end of the transaction it is there.
CREATE FUNCTION require_statement_signature() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
    IF NOT EXISTS (SELECT FROM statement_signatures s
        WHERE s.organization_id = NEW.organization_id AND s.statement_id = NEW.id) THEN
        RAISE EXCEPTION 'the statement % is not signed', NEW.id
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'statements_signed';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER statements_signed AFTER INSERT ON statements DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION require_statement_signature();

-- For everybody: whoever has a statement can check it.
CREATE FUNCTION published_statement_keys(organization uuid) RETURNS TABLE (public_key jsonb)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    SELECT k.public_key FROM statement_keys k WHERE k.organization_id = organization
    ORDER BY k.created_at DESC, k.key_id
$$;

SELECT protect_organization_table('statement_keys');
SELECT protect_shared_table('statement_signatures', 'partner_id = (SELECT scope_partner())');
GRANT SELECT, INSERT ON statement_keys, statement_signatures TO copartner_service;
