-- Rates of exchange, by day. A rate never changes: a correction is a further row that supersedes it.

CREATE TABLE exchange_rates (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    -- So much of the quote currency for one of the base currency. Currencies that are no more have rates, too.
    base text NOT NULL,
    quote text NOT NULL,
    valid_on date NOT NULL,
    rate numeric(18, 10) NOT NULL,
    source text NOT NULL,
    supersedes_id uuid,
    reason text,
    created_by uuid,
    created_by_type text,
    created_at timestamptz NOT NULL,
    CONSTRAINT exchange_rates_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT exchange_rates_organization_fk FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id),
    CONSTRAINT exchange_rates_supersedes_fk FOREIGN KEY (organization_id, supersedes_id)
        REFERENCES exchange_rates (organization_id, id),
    CONSTRAINT exchange_rates_base_check CHECK (base ~ '^[A-Z]{3}$'),
    CONSTRAINT exchange_rates_quote_check CHECK (quote ~ '^[A-Z]{3}$' AND quote <> base),
    CONSTRAINT exchange_rates_rate_check CHECK (rate > 0),
    CONSTRAINT exchange_rates_source_check CHECK (source IN ('ecb', 'manual')),
    CONSTRAINT exchange_rates_reason_check CHECK ((supersedes_id IS NULL) = (reason IS NULL)),
    CONSTRAINT exchange_rates_created_by_type_check CHECK (created_by_type IN ('api_key', 'user'))
);
-- One first rate of a source for a pair and a day, and one that supersedes each.
CREATE UNIQUE INDEX exchange_rates_first_key ON exchange_rates (organization_id, base, quote, valid_on, source)
    WHERE supersedes_id IS NULL;
CREATE UNIQUE INDEX exchange_rates_supersedes_key ON exchange_rates (organization_id, supersedes_id)
    WHERE supersedes_id IS NOT NULL;
CREATE INDEX exchange_rates_pair_index ON exchange_rates (organization_id, base, quote, valid_on);
CREATE TRIGGER exchange_rates_append_only BEFORE UPDATE OR DELETE ON exchange_rates
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

SELECT protect_organization_table('exchange_rates');
GRANT SELECT, INSERT ON exchange_rates TO copartner_service;

ALTER TABLE imports
    DROP CONSTRAINT imports_resource_check,
    ADD CONSTRAINT imports_resource_check
        CHECK (resource IN ('product_families', 'partners', 'accounts', 'deals', 'invoices', 'exchange_rates'));
