-- The audit trail as a chain of hashes: each entry is sealed by a link that holds the hash of the link before, so that
-- an entry that is changed, taken out, put in or moved later breaks the chain at that place. Only the head of the
-- chain, kept by somebody else, shows that the whole end was written anew.

-- The links. Without a key to organizations: the one to the entry says the same.
CREATE TABLE audit_links (
    organization_id uuid NOT NULL,
    position bigint NOT NULL,
    audit_event_id uuid NOT NULL,
    previous_hash bytea NOT NULL,
    hash bytea NOT NULL,
    sealed_at timestamptz NOT NULL,
    CONSTRAINT audit_links_pk PRIMARY KEY (organization_id, position),
    CONSTRAINT audit_links_audit_event_key UNIQUE (organization_id, audit_event_id),
    CONSTRAINT audit_links_audit_event_fk FOREIGN KEY (organization_id, audit_event_id)
        REFERENCES audit_events (organization_id, id),
    CONSTRAINT audit_links_position_check CHECK (position > 0),
    CONSTRAINT audit_links_hashes_check CHECK (octet_length(previous_hash) = 32 AND octet_length(hash) = 32)
);
CREATE TRIGGER audit_links_append_only BEFORE UPDATE OR DELETE ON audit_links
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Entries that wait for their link. Writers put them here in the statement that writes the entries, and share nothing
-- with one another or with the sealer. A mark up to which everything is sealed would not do: a transaction that commits
-- late has an earlier place in the order of writing than others that are sealed by then.
CREATE TABLE unsealed_audit_events (
    organization_id uuid NOT NULL,
    written_order bigint NOT NULL,
    audit_event_id uuid NOT NULL,
    CONSTRAINT unsealed_audit_events_pk PRIMARY KEY (organization_id, written_order)
);

CREATE FUNCTION await_audit_seal() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
BEGIN
    INSERT INTO unsealed_audit_events (organization_id, written_order, audit_event_id)
    SELECT w.organization_id, w.written_order, w.id FROM written w;
    RETURN NULL;
END
$$;
CREATE TRIGGER audit_events_await_seal AFTER INSERT ON audit_events
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION await_audit_seal();

INSERT INTO unsealed_audit_events (organization_id, written_order, audit_event_id)
SELECT organization_id, written_order, id FROM audit_events;

-- What is hashed of an entry: every column but `written_order`, as the text of a jsonb object, which has one form only
-- (keys by length, then by bytes; `", "` and `": "` between). Columns without a value are left out, so that a column
-- that is added later, without a value in older entries, breaks no older link. Instants are told in UTC, whatever the
-- session's time zone.
CREATE FUNCTION audit_event_text(entry audit_events) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, public SET "TimeZone" = 'UTC' AS
$$
    SELECT jsonb_object_agg(field.key, field.value)::text FROM jsonb_each(to_jsonb(entry) - 'written_order') field
    WHERE field.value <> 'null'
$$;

-- The hash of a link: SHA-256 of the 32 bytes of the hash before and the entry's text in UTF-8.
CREATE FUNCTION audit_link_hash(previous_hash bytea, entry_text text) RETURNS bytea
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT sha256(previous_hash || convert_to(entry_text, 'UTF8')) $$;

-- What the first link of an organization follows: SHA-256 of the organization's UUID as text.
CREATE FUNCTION audit_chain_origin(organization uuid) RETURNS bytea
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT sha256(convert_to(organization::text, 'UTF8')) $$;

-- Seals up to `most` committed entries of the caller's organization, in the order of writing, and returns how many.
-- One sealer at a time per organization: the lock is taken before the chain's end is looked at, so that the statements
-- that follow see everything the previous sealer and every finished writer left.
CREATE FUNCTION seal_audit_events(most integer, sealed_at timestamptz) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
DECLARE
    organization uuid := scope_organization();
    last_position bigint;
    head bytea;
    entry record;
    orders bigint[] := '{}';
    ids uuid[] := '{}';
    hashes bytea[] := '{}';
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('audit chain ' || organization, 0));
    SELECT l.position, l.hash INTO last_position, head FROM audit_links l
    WHERE l.organization_id = organization ORDER BY l.position DESC LIMIT 1;
    IF NOT FOUND THEN
        last_position := 0;
        head := audit_chain_origin(organization);
    END IF;
    hashes := hashes || head;
    FOR entry IN
        SELECT u.written_order, a.id, a.content
        FROM (
            SELECT q.written_order, q.audit_event_id FROM unsealed_audit_events q
            WHERE q.organization_id = organization ORDER BY q.written_order LIMIT most
        ) u
        -- OFFSET keeps this a look-up of one entry each: joined as a whole, the trail could be read from end to end.
        CROSS JOIN LATERAL (
            SELECT e.id, audit_event_text(e) AS content FROM audit_events e
            WHERE e.organization_id = organization AND e.id = u.audit_event_id OFFSET 0
        ) a
        ORDER BY u.written_order
    LOOP
        head := audit_link_hash(head, entry.content);
        orders := orders || entry.written_order;
        ids := ids || entry.id;
        hashes := hashes || head;
    END LOOP;
    INSERT INTO audit_links (organization_id, position, audit_event_id, previous_hash, hash, sealed_at)
    SELECT organization, last_position + place, id, previous_hash, hash, seal_audit_events.sealed_at
    FROM unnest(ids, hashes[:cardinality(ids)], hashes[2:])
        WITH ORDINALITY AS link (id, previous_hash, hash, place);
    DELETE FROM unsealed_audit_events u WHERE u.organization_id = organization AND u.written_order = ANY (orders);
    RETURN cardinality(ids);
END
$$;

-- The organizations in which the sealer has something to do; for the worker, which serves all of them.
CREATE FUNCTION organizations_with_unsealed_audit_events() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    SELECT o.organization_id FROM organizations o
    WHERE EXISTS (SELECT FROM unsealed_audit_events u WHERE u.organization_id = o.organization_id)
$$;

-- The first fault of the trail of the caller's organization, or no row. Along the chain: `link_missing` (the position
-- has no link), `link_misplaced` (what the link follows stands elsewhere in the chain), `link_changed` (it does not
-- follow the link before, or its own hash is not what the next one follows), `entry_missing`, `entry_changed`. Beside
-- it, without a position: `entry_missing` (taken out before it was sealed), `entry_unknown` (neither sealed nor waiting
-- for it). It is one statement, so that it sees one moment.
CREATE FUNCTION audit_chain_fault() RETURNS TABLE (fault text, fault_position bigint, audit_event_id uuid)
    LANGUAGE sql STABLE SET search_path = pg_catalog, public AS
$$
    WITH scope AS MATERIALIZED (SELECT scope_organization() AS organization),
    walked AS (
        SELECT l.position, l.audit_event_id, l.previous_hash, l.hash, a.id AS entry_id,
            coalesce(lag(l.position) OVER chain, 0) + 1 AS expected_position,
            coalesce(lag(l.hash) OVER chain, audit_chain_origin(l.organization_id)) AS expected_hash,
            lead(l.previous_hash) OVER chain AS followed_hash,
            CASE WHEN a.id IS NOT NULL THEN audit_link_hash(l.previous_hash, audit_event_text(a)) END AS computed_hash
        FROM audit_links l
        LEFT JOIN audit_events a ON a.organization_id = l.organization_id AND a.id = l.audit_event_id
        WHERE l.organization_id = (SELECT organization FROM scope)
        WINDOW chain AS (ORDER BY l.position)
    ),
    broken AS (
        SELECT * FROM walked w
        WHERE w.position <> w.expected_position OR w.previous_hash <> w.expected_hash
            OR w.computed_hash IS DISTINCT FROM w.hash
        ORDER BY w.position LIMIT 1
    ),
    beside AS (
        SELECT 'entry_missing' AS fault, u.audit_event_id AS id FROM unsealed_audit_events u
        LEFT JOIN audit_events a ON a.organization_id = u.organization_id AND a.id = u.audit_event_id
        WHERE u.organization_id = (SELECT organization FROM scope) AND a.id IS NULL
        UNION ALL
        SELECT 'entry_unknown', a.id FROM audit_events a
        LEFT JOIN audit_links l ON l.organization_id = a.organization_id AND l.audit_event_id = a.id
        LEFT JOIN unsealed_audit_events u
            ON u.organization_id = a.organization_id AND u.written_order = a.written_order AND u.audit_event_id = a.id
        WHERE a.organization_id = (SELECT organization FROM scope) AND l.position IS NULL AND u.written_order IS NULL
    )
    SELECT CASE
            WHEN b.position <> b.expected_position THEN 'link_missing'
            WHEN b.previous_hash <> b.expected_hash THEN CASE
                WHEN EXISTS (SELECT FROM walked w WHERE w.hash = b.previous_hash) THEN 'link_misplaced'
                ELSE 'link_changed' END
            WHEN b.entry_id IS NULL THEN 'entry_missing'
            WHEN b.computed_hash = b.followed_hash THEN 'link_changed'
            ELSE 'entry_changed' END,
        CASE WHEN b.position <> b.expected_position THEN b.expected_position ELSE b.position END,
        CASE WHEN b.position = b.expected_position THEN b.audit_event_id END
    FROM broken b
    UNION ALL
    (SELECT fault, NULL, id FROM beside WHERE NOT EXISTS (SELECT FROM broken) ORDER BY id LIMIT 1)
$$;

-- The head of the chain of the caller's organization, and how much of the trail it holds.
CREATE FUNCTION audit_chain_head()
    RETURNS TABLE (sealed bigint, unsealed bigint, head_position bigint, head_hash bytea)
    LANGUAGE sql STABLE SET search_path = pg_catalog, public AS
$$
    WITH scope AS MATERIALIZED (SELECT scope_organization() AS organization)
    SELECT (SELECT count(*) FROM audit_links l WHERE l.organization_id = s.organization),
        (SELECT count(*) FROM unsealed_audit_events u WHERE u.organization_id = s.organization),
        coalesce(h.position, 0), coalesce(h.hash, audit_chain_origin(s.organization))
    FROM scope s LEFT JOIN LATERAL (
        SELECT l.position, l.hash FROM audit_links l
        WHERE l.organization_id = s.organization ORDER BY l.position DESC LIMIT 1) h ON true
$$;

SELECT protect_organization_table('audit_links');
SELECT protect_organization_table('unsealed_audit_events');
GRANT SELECT ON audit_links, unsealed_audit_events TO copartner_service;
