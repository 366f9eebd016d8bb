//! Statements: chained, as the journal says, and complete.

/// Every check: its name, and the query that names the first broken row of the organization `$1`.
pub(super) const CHECKS: &[(&str, &str)] = &[
    ("statements are chained", CHAIN),
    ("statements say what the journal says", TEXTS),
    ("statements close with what is owed", CLOSINGS),
    ("statements leave no posting out", COMPLETE),
];

/// Each goes on from the one before: its number, its month, its opening and its hash.
const CHAIN: &str = "\
    SELECT 'statement' AS noun, id, 'number ' || number || ' of ' || month || ' opens with ' || opening \
        || ' after a closing of ' || coalesce(prior_closing, 0) || ', and its hash is ' || hash AS detail FROM (\
        SELECT s.*, lag(number) OVER chain AS prior_number, lag(month) OVER chain AS prior_month, \
            lag(closing) OVER chain AS prior_closing, lag(hash) OVER chain AS prior_hash \
        FROM statements s WHERE organization_id = $1 \
        WINDOW chain AS (PARTITION BY partner_id, currency ORDER BY number)) chained \
    WHERE number <> coalesce(prior_number, 0) + 1 OR month <= prior_month OR opening <> coalesce(prior_closing, 0) \
        OR previous_hash IS DISTINCT FROM prior_hash \
        OR hash <> encode(sha256(convert_to(coalesce(previous_hash, '') || document, 'UTF8')), 'hex') \
    ORDER BY partner_id, currency, number LIMIT 1";

/// Text and figures are what they come to when they are made of the postings again. Names, references and what else was
/// known at the issue only are taken as they were written down: the hash and the signature are over them.
const TEXTS: &str = "\
    WITH stated AS (\
        SELECT s.id, sum(e.amount) FILTER (WHERE e.kind = 'accrual') AS earned, \
            -sum(statement_effect(e.kind, e.amount)) \
                FILTER (WHERE e.kind IN ('clawback', 'credit_note', 'reinstatement')) AS reversed, \
            sum(statement_effect(e.kind, e.amount)) \
                FILTER (WHERE e.kind IN ('adjustment_up', 'adjustment_down', 'write_off')) AS adjusted, \
            sum(statement_effect(e.kind, e.amount)) FILTER (WHERE e.kind LIKE '%exchange%') AS exchanged, \
            sum(CASE e.kind WHEN 'payout_paid' THEN e.amount WHEN 'payout_returned' THEN -e.amount END) AS paid, \
            jsonb_agg(statement_line(e.id, e.kind, e.source_id, e.program_id, e.amount, e.occurred_at, \
                e.recorded_at, s.starts_at) ORDER BY e.recorded_at, e.id) AS lines \
        FROM statements s \
        JOIN statement_lines l ON l.organization_id = $1 AND l.statement_id = s.id AND l.partner_id = s.partner_id \
        JOIN ledger_entries e ON e.organization_id = $1 AND e.id = l.ledger_entry_id AND e.partner_id = s.partner_id \
            AND e.currency = s.currency \
        WHERE s.organization_id = $1 GROUP BY s.id), \
    told AS (\
        SELECT s.*, document::jsonb - '{lines,organization_id,organization_name,partner_name,previous_hash}'::text[] AS body, \
            (SELECT jsonb_agg(item - '{deal_id,invoice_id,reference}'::text[] ORDER BY place) \
                FROM jsonb_array_elements(document::jsonb -> 'lines') WITH ORDINALITY AS stated_line (item, place)) AS bare_lines \
        FROM statements s WHERE organization_id = $1) \
    SELECT 'statement' AS noun, s.id, 'number ' || s.number || ' of ' || s.month \
        || ' is not what its postings come to' AS detail \
    FROM told s LEFT JOIN stated t ON t.id = s.id \
    WHERE t.id IS NULL OR s.earned <> coalesce(t.earned, 0) \
        OR s.reversed <> coalesce(t.reversed, 0) OR s.adjusted <> coalesce(t.adjusted, 0) \
        OR s.exchanged <> coalesce(t.exchanged, 0) OR s.paid <> coalesce(t.paid, 0) \
        OR s.document <> s.document::jsonb::text OR s.bare_lines <> t.lines \
        OR s.body <> statement_document(s.id, s.partner_id, s.currency, s.number, s.month, s.time_zone, \
            ARRAY[s.opening, s.earned, s.reversed, s.adjusted, s.paid, s.closing, s.exchanged], s.issued_at, '{}', '[]') \
            ::jsonb - 'lines' \
        OR coalesce(s.document::jsonb ->> 'organization_id', $1::text) <> $1::text \
        OR s.document::jsonb ? 'previous_hash' \
            AND s.document::jsonb ->> 'previous_hash' IS DISTINCT FROM s.previous_hash \
    ORDER BY s.id LIMIT 1";

/// The closing is the balance of the partner's accounts at the end of the month, by the accounts and not by the kinds of
/// postings. What was recorded before but came in while the month was being issued stands on the next one.
const CLOSINGS: &str = "\
    WITH moved AS (\
        SELECT e.partner_id, e.currency, e.recorded_at, t.number, \
            CASE WHEN e.credit_account IN ('held', 'released', 'payable', 'disputed', 'in_payout') THEN e.amount \
                ELSE 0 END \
            - CASE WHEN e.debit_account IN ('held', 'released', 'payable', 'disputed', 'in_payout') THEN e.amount \
                ELSE 0 END AS amount \
        FROM ledger_entries e \
        LEFT JOIN statement_lines l ON l.organization_id = $1 AND l.ledger_entry_id = e.id \
        LEFT JOIN statements t ON t.organization_id = $1 AND t.id = l.statement_id \
        WHERE e.organization_id = $1) \
    SELECT 'statement' AS noun, s.id, 'closes with ' || s.closing || ', but the balance was ' \
        || coalesce(sum(m.amount), 0) AS detail \
    FROM statements s \
    LEFT JOIN moved m ON m.partner_id = s.partner_id AND m.currency = s.currency AND m.recorded_at < s.ends_at \
        AND m.number <= s.number \
    WHERE s.organization_id = $1 \
    GROUP BY s.id, s.closing HAVING s.closing <> coalesce(sum(m.amount), 0) ORDER BY s.id LIMIT 1";

/// What was recorded before the month of a partner's last statement stands on one.
const COMPLETE: &str = "\
    SELECT 'ledger_entry' AS noun, e.id, 'was recorded at ' || e.recorded_at || ' and stands on no statement' AS detail \
    FROM ledger_entries e \
    JOIN (SELECT partner_id, currency, max(starts_at) AS starts_at FROM statements WHERE organization_id = $1 \
        GROUP BY partner_id, currency) s ON s.partner_id = e.partner_id AND s.currency = e.currency \
    LEFT JOIN statement_lines l ON l.organization_id = $1 AND l.ledger_entry_id = e.id \
    WHERE e.organization_id = $1 AND l.ledger_entry_id IS NULL AND e.recorded_at < s.starts_at \
        AND statement_effect(e.kind, 1) IS NOT NULL \
    ORDER BY e.recorded_at, e.id LIMIT 1";
