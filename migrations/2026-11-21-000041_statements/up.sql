-- Statements: what became of a partner's balance in a month, in one currency. A statement is computed from the journal,
-- chained to the one before by its hash, and never changes.

-- What a posting does to what is owed to the partner; nothing, where it moves between the partner's own accounts.
CREATE FUNCTION statement_effect(kind text, amount numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$
    SELECT CASE WHEN kind IN ('accrual', 'adjustment_up', 'payout_returned') THEN amount
        WHEN kind IN ('clawback', 'credit_note', 'adjustment_down', 'payout_paid') THEN -amount END
$$;

-- A posting as it stands on a statement. It is late where it happened before the month in which it was recorded.
CREATE FUNCTION statement_line(id uuid, kind text, source_id uuid, program_id uuid, amount numeric,
    occurred_at timestamptz, recorded_at timestamptz, starts_at timestamptz) RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE AS
$$
    SELECT jsonb_build_object('ledger_entry_id', id, 'kind', kind, 'source_id', source_id, 'program_id', program_id,
        'amount', statement_effect(kind, amount)::text,
        'occurred_at', to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'recorded_at', to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'is_late', occurred_at < starts_at)
$$;

-- The text of a statement, the same for ever: keys in the order of jsonb, amounts with four decimals, instants in UTC.
CREATE FUNCTION statement_document(id uuid, partner_id uuid, currency text, number integer, month date, time_zone text,
    figures numeric[], issued_at timestamptz, lines jsonb) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE AS
$$
    SELECT jsonb_build_object('statement_id', id, 'partner_id', partner_id, 'currency', currency, 'number', number,
        'month', to_char(month, 'YYYY-MM'), 'time_zone', time_zone,
        'opening', figures[1]::numeric(19, 4)::text, 'earned', figures[2]::numeric(19, 4)::text,
        'reversed', figures[3]::numeric(19, 4)::text, 'adjusted', figures[4]::numeric(19, 4)::text,
        'paid', figures[5]::numeric(19, 4)::text, 'closing', figures[6]::numeric(19, 4)::text,
        'issued_at', to_char(issued_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'note', 'A posting stands on the statement of the month in which it was recorded, '
            || 'though it may have happened earlier.',
        'lines', lines)::text
$$;

CREATE TABLE statements (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    partner_id uuid NOT NULL,
    currency text NOT NULL,
    -- Its place in the chain of the partner and the currency, from 1 on.
    number integer NOT NULL,
    month date NOT NULL,
    time_zone text NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    opening numeric(19, 4) NOT NULL,
    earned numeric(19, 4) NOT NULL,
    reversed numeric(19, 4) NOT NULL,
    adjusted numeric(19, 4) NOT NULL,
    paid numeric(19, 4) NOT NULL,
    closing numeric(19, 4) NOT NULL,
    document text NOT NULL,
    previous_hash text,
    hash text NOT NULL,
    issued_at timestamptz NOT NULL,
    CONSTRAINT statements_pk PRIMARY KEY (organization_id, id),
    CONSTRAINT statements_month_key UNIQUE (organization_id, partner_id, currency, month),
    CONSTRAINT statements_number_key UNIQUE (organization_id, partner_id, currency, number),
    CONSTRAINT statements_organization_fk FOREIGN KEY (organization_id) REFERENCES organizations (organization_id),
    CONSTRAINT statements_partner_fk FOREIGN KEY (organization_id, partner_id)
        REFERENCES partners (organization_id, id),
    CONSTRAINT statements_currency_check CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT statements_month_check CHECK (extract(day FROM month) = 1 AND starts_at < ends_at
        AND issued_at >= ends_at),
    CONSTRAINT statements_sum_check CHECK (closing = opening + earned - reversed + adjusted - paid),
    CONSTRAINT statements_number_check CHECK (number >= 1 AND (number = 1) = (previous_hash IS NULL)
        AND (number > 1 OR opening = 0)),
    CONSTRAINT statements_hash_check
        CHECK (hash = encode(sha256(convert_to(coalesce(previous_hash, '') || document, 'UTF8')), 'hex'))
);
CREATE TRIGGER statements_append_only BEFORE UPDATE OR DELETE ON statements
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Which posting stands on which statement: each on one at most.
CREATE TABLE statement_lines (
    organization_id uuid NOT NULL,
    ledger_entry_id uuid NOT NULL,
    statement_id uuid NOT NULL,
    partner_id uuid NOT NULL,
    CONSTRAINT statement_lines_pk PRIMARY KEY (organization_id, ledger_entry_id),
    CONSTRAINT statement_lines_organization_fk FOREIGN KEY (organization_id)
        REFERENCES organizations (organization_id),
    CONSTRAINT statement_lines_ledger_entry_fk FOREIGN KEY (organization_id, ledger_entry_id)
        REFERENCES ledger_entries (organization_id, id),
    CONSTRAINT statement_lines_statement_fk FOREIGN KEY (organization_id, statement_id)
        REFERENCES statements (organization_id, id),
    CONSTRAINT statement_lines_partner_fk FOREIGN KEY (organization_id, partner_id)
        REFERENCES partners (organization_id, id)
);
CREATE INDEX statement_lines_statement_index ON statement_lines (organization_id, statement_id);
CREATE INDEX statement_lines_partner_index ON statement_lines (organization_id, partner_id);
CREATE TRIGGER statement_lines_append_only BEFORE UPDATE OR DELETE ON statement_lines
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

SELECT protect_shared_table('statements', 'partner_id = (SELECT scope_partner())');
SELECT protect_shared_table('statement_lines', 'partner_id = (SELECT scope_partner())');
GRANT SELECT, INSERT ON statements, statement_lines TO copartner_service;
