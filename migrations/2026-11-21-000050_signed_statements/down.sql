DROP FUNCTION published_statement_keys(uuid);
DROP TRIGGER statements_signed ON statements;
DROP FUNCTION require_statement_signature();
DROP TABLE statement_signatures;
DROP TABLE statement_keys;
DROP FUNCTION statement_document(uuid, uuid, text, integer, date, text, numeric[], timestamptz, jsonb, jsonb);
CREATE FUNCTION statement_document(id uuid, partner_id uuid, currency text, number integer, month date, time_zone text,
    figures numeric[], issued_at timestamptz, lines jsonb) RETURNS text
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
            ELSE '{}' END)::text
$$;
