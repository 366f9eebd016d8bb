-- Bulk loading: the file as it came, the job, and the rows that were refused.

CREATE TABLE imports (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    resource text NOT NULL,
    status text NOT NULL,
    mapping jsonb NOT NULL,
    dry_run boolean NOT NULL,
    atomic boolean NOT NULL,
    file_name text,
    file_bytes bigint NOT NULL,
    file_hash bytea NOT NULL,
    rows_read bigint NOT NULL,
    rows_created bigint NOT NULL,
    rows_updated bigint NOT NULL,
    rows_unchanged bigint NOT NULL,
    rows_rejected bigint NOT NULL,
    -- Where the next row starts: a worker that takes the import up again goes on from here.
    bytes_read bigint NOT NULL,
    next_line bigint NOT NULL,
    error_code text,
    error_detail text,
    created_by uuid,
    -- While a worker has the job it renews this; a job whose lease is over is taken up again by another.
    leased_until timestamptz,
    started_at timestamptz,
    finished_at timestamptz,
    row_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT imports_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT imports_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id),
    CONSTRAINT imports_resource_check
        CHECK (resource IN ('partners', 'accounts', 'deals', 'invoices', 'product_families')),
    CONSTRAINT imports_status_check CHECK (status IN ('queued', 'running', 'succeeded', 'failed', 'canceled'))
);
CREATE INDEX imports_status_index ON imports (organization_id, status, id);
CREATE INDEX imports_waiting_index ON imports (organization_id, created_at) WHERE status IN ('queued', 'running');

CREATE TABLE import_chunks (
    organization_id uuid NOT NULL,
    import_id uuid NOT NULL,
    position integer NOT NULL,
    content bytea NOT NULL,
    CONSTRAINT import_chunks_pk PRIMARY KEY (organization_id, import_id, position),
    CONSTRAINT import_chunks_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id)
);

-- The keys that the file named so far, so that a key that comes twice is refused without keeping them all in memory.
CREATE TABLE import_keys (
    organization_id uuid NOT NULL,
    import_id uuid NOT NULL,
    external_id text NOT NULL,
    CONSTRAINT import_keys_pk PRIMARY KEY (organization_id, import_id, external_id),
    CONSTRAINT import_keys_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id)
);

CREATE TABLE import_rejections (
    organization_id uuid NOT NULL,
    import_id uuid NOT NULL,
    line bigint NOT NULL,
    column_name text NOT NULL,
    code text NOT NULL,
    message text NOT NULL,
    CONSTRAINT import_rejections_pk PRIMARY KEY (organization_id, import_id, line, column_name, code),
    CONSTRAINT import_rejections_organization_fk FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id),
    CONSTRAINT import_rejections_import_fk FOREIGN KEY (organization_id, import_id)
        REFERENCES imports (organization_id, id)
);

-- Takes the oldest waiting import of any organization for this worker, or one that nobody has: its worker put it down
-- between two batches, or is gone.
CREATE FUNCTION claim_import(instant timestamptz, lease interval)
    RETURNS TABLE (organization_id uuid, id uuid)
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    UPDATE imports i SET status = 'running', leased_until = instant + lease,
        started_at = coalesce(i.started_at, instant), updated_at = instant
    FROM (
        SELECT w.organization_id, w.id FROM imports w
        WHERE w.status = 'queued' OR (w.status = 'running' AND (w.leased_until IS NULL OR w.leased_until < instant))
        ORDER BY w.created_at FOR UPDATE SKIP LOCKED LIMIT 1
    ) next
    WHERE i.organization_id = next.organization_id AND i.id = next.id
    RETURNING i.organization_id, i.id
$$;

-- Uploads that were cut off leave pieces without an import. Ids are made from the time, so that those made before
-- `oldest` are known to belong to no upload that still runs.
CREATE FUNCTION discard_cut_off_uploads(oldest uuid) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
    DELETE FROM import_chunks c
    WHERE c.import_id < oldest AND NOT EXISTS (
        SELECT FROM imports i WHERE i.organization_id = c.organization_id AND i.id = c.import_id)
$$;

-- After a large import the planner must know what the tables hold now, not when somebody gets round to it.
CREATE FUNCTION refresh_statistics() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$
BEGIN
    ANALYZE partners, accounts, enrollments, deals, attributions, invoices, invoice_lines, payments, credit_notes,
        commissions, ledger_entries;
END
$$;

SELECT protect_organization_table('imports');
SELECT protect_organization_table('import_chunks');
SELECT protect_organization_table('import_keys');
SELECT protect_organization_table('import_rejections');

GRANT SELECT, INSERT, UPDATE ON imports TO copartner_service;
GRANT SELECT, INSERT, DELETE ON import_chunks, import_keys, import_rejections TO copartner_service;
