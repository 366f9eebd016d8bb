//! The checks that Postgres works out by itself: each answers its first broken row, or none.

/// The checks by name. `$1` is the organization.
pub(super) const CHECKS: &[(&str, &str)] = &[
    ("trial balance is zero", TRIAL_BALANCE),
    ("balances add up", BALANCES),
    ("entries have a source", ORPHANS),
    ("money on won deals is earned", UNEARNED),
    ("commissions agree with their postings", COMMISSIONS),
    ("exchanges agree with their postings", EXCHANGES),
    (
        "exchanged clawbacks agree with their postings",
        EXCHANGED_CLAWBACKS,
    ),
    ("exchanges leave what is not taken back", FX_CLEARING),
    ("commissions are paid once", PAID_ONCE),
    ("clawbacks agree with their postings", CLAWBACKS),
    ("adjustments agree with their postings", ADJUSTMENTS),
    ("disputes freeze what they say", DISPUTES),
    ("disputed money is that of disputed lines", DISPUTED),
    ("disputed lines know their dispute", HELD_UP),
    ("standings are the sum of their lines", STANDINGS),
    (
        "standings know what corrections take of caps",
        STANDING_CORRECTIONS,
    ),
    ("payouts are the sum of their items", PAYOUT_ITEMS),
    ("payouts agree with their postings", PAYOUTS),
    ("payouts agree with their transfers", TRANSFERS),
    ("events have no gap", EVENTS),
];

const TRIAL_BALANCE: &str = "\
    SELECT 'ledger' AS noun, NULL::uuid AS id, currency || ' is off by ' || sum(side) AS detail FROM (\
        SELECT debit_account AS account, currency, amount AS side FROM ledger_entries WHERE organization_id = $1 \
        UNION ALL SELECT credit_account, currency, -amount FROM ledger_entries WHERE organization_id = $1) sides \
    GROUP BY currency HAVING sum(side) <> 0 ORDER BY currency LIMIT 1";

/// Earned less taken back, adjusted and exchanged, is what is owed and what was paid.
const BALANCES: &str = "\
    SELECT 'partner' AS noun, partner_id AS id, \
        currency || ' in the program ' || program_id || ' is off by ' || sum(part) AS detail FROM (\
        SELECT partner_id, program_id, currency, amount \
            * ((kind IN ('accrual', 'reinstatement'))::int - (kind IN ('clawback', 'credit_note'))::int \
            + (kind IN ('adjustment_up', 'write_off'))::int - (kind = 'adjustment_down')::int \
            + (kind IN ('exchange_in', 'clawback_exchange_in'))::int \
            - (kind IN ('exchange_out', 'clawback_exchange_out'))::int \
            - (kind = 'payout_paid')::int + (kind = 'payout_returned')::int \
            - (credit_account IN ('held', 'released', 'payable', 'disputed', 'in_payout'))::int \
            + (debit_account IN ('held', 'released', 'payable', 'disputed', 'in_payout'))::int) AS part \
        FROM ledger_entries WHERE organization_id = $1) parts \
    GROUP BY partner_id, program_id, currency HAVING sum(part) <> 0 \
    ORDER BY partner_id, program_id, currency LIMIT 1";

/// Every entry is caused by a record of the same partner, program and currency.
const ORPHANS: &str = "\
    SELECT 'ledger_entry' AS noun, l.id, l.kind || ' without its source ' || l.source_id AS detail \
    FROM ledger_entries l LEFT JOIN (\
        SELECT id, partner_id, program_id, currency, \
            CASE kind WHEN 'accrual' THEN ARRAY['accrual', 'hold_release', 'approval', 'exchange_out'] \
                ELSE ARRAY['credit_note', 'exchange_in'] END AS kinds \
        FROM commissions WHERE organization_id = $1 \
        UNION ALL SELECT id, partner_id, program_id, payout_currency, \
            CASE kind WHEN 'accrual' THEN ARRAY['hold_release', 'approval', 'exchange_in'] \
                ELSE ARRAY['exchange_out'] END \
        FROM commissions WHERE organization_id = $1 AND exchange IS NOT NULL \
        UNION ALL SELECT id, partner_id, program_id, currency, CASE WHEN owed_amount < 0 OR amount < 0 \
                THEN ARRAY['reinstatement', 'clawback_exchange_out'] ELSE ARRAY['clawback', 'clawback_exchange_in'] END \
        FROM clawbacks WHERE organization_id = $1 \
        UNION ALL SELECT id, partner_id, program_id, exchanged_currency, \
            CASE WHEN owed_amount < 0 OR amount < 0 THEN ARRAY['clawback_exchange_in'] ELSE ARRAY['clawback_exchange_out'] END \
        FROM clawbacks WHERE organization_id = $1 AND exchange IS NOT NULL \
        UNION ALL SELECT id, partner_id, program_id, currency, \
            CASE WHEN reason_code = 'write_off' THEN ARRAY['write_off'] WHEN amount > 0 THEN ARRAY['adjustment_up'] \
                ELSE ARRAY['adjustment_down'] END \
        FROM adjustments WHERE organization_id = $1 \
        UNION ALL SELECT dispute_id, partner_id, program_id, currency, ARRAY['freeze', 'thaw'] \
        FROM (SELECT DISTINCT dispute_id, partner_id, program_id, currency FROM dispute_lines \
            WHERE organization_id = $1) d \
        UNION ALL SELECT id, partner_id, program_id, currency, ARRAY['reserve', 'reserve_cancelled', 'payout_paid', \
            'payout_failed', 'payout_returned'] \
        FROM payouts WHERE organization_id = $1) s \
    ON s.id = l.source_id AND s.partner_id = l.partner_id AND s.program_id = l.program_id \
        AND s.currency = l.currency AND l.kind = ANY (s.kinds) \
    WHERE l.organization_id = $1 AND s.id IS NULL ORDER BY l.id LIMIT 1";

/// Every payment of a won deal has a line for each invoice line and settled credit, if only one of zero with its reason.
const UNEARNED: &str = "\
    SELECT 'payment' AS noun, p.id, 'earned no line for the credit ' || a.id AS detail \
    FROM payments p \
    JOIN invoices i ON i.organization_id = $1 AND i.id = p.invoice_id \
    JOIN invoice_lines l ON l.organization_id = $1 AND l.invoice_id = i.id \
    JOIN deals d ON d.organization_id = $1 AND d.id = i.deal_id AND d.status = 'won' AND d.program_id IS NOT NULL \
    JOIN attributions a ON a.organization_id = $1 AND a.deal_id = d.id AND a.status = 'confirmed' \
    LEFT JOIN commissions c ON c.organization_id = $1 AND c.payment_id = p.id AND c.invoice_line_id = l.id \
        AND c.attribution_id = a.id \
    WHERE p.organization_id = $1 AND c.id IS NULL ORDER BY p.id LIMIT 1";

/// A pending line is accrued, a due one released besides, an approved one approved besides; each for its amount less
/// what was taken back before that step, in the currency in which it was owed then. A line of a credit note posts once, at
/// once.
const COMMISSIONS: &str = "\
    WITH posted AS (\
        SELECT source_id, currency, sum(amount) FILTER (WHERE kind = 'accrual') AS accrued, \
            sum(amount) FILTER (WHERE kind = 'hold_release') AS released, \
            sum(amount) FILTER (WHERE kind = 'approval') AS approved, \
            sum(amount) FILTER (WHERE kind = 'credit_note') AS credited \
        FROM ledger_entries WHERE organization_id = $1 \
            AND kind IN ('accrual', 'hold_release', 'approval', 'credit_note') GROUP BY source_id, currency), \
    taken AS (\
        SELECT commission_id, sum(amount) AS reversed, sum(amount) FILTER (WHERE taken_from = 'held') AS held, \
            sum(amount) FILTER (WHERE taken_from IN ('held', 'released')) AS netted, \
            sum(exchanged_amount) AS x_reversed, sum(exchanged_amount) FILTER (WHERE taken_from = 'held') AS x_held, \
            sum(exchanged_amount) FILTER (WHERE taken_from IN ('held', 'released')) AS x_netted \
        FROM clawbacks WHERE organization_id = $1 GROUP BY commission_id), \
    lines AS (\
        SELECT c.id, c.kind, c.status, c.amount, c.reversed_amount, c.netted_amount, c.exchange IS NOT NULL AS exchanged, \
            c.exchanged_amount, c.exchanged_reversed, c.exchanged_netted, \
            coalesce(p.accrued, 0) AS accrued, coalesce(p.released, 0) AS released, \
            coalesce(p.approved, 0) AS approved, coalesce(p.credited, 0) AS credited, \
            coalesce(x.released, 0) AS x_released, coalesce(x.approved, 0) AS x_approved, \
            coalesce(x.accrued, 0) + coalesce(x.credited, 0) AS x_other, \
            coalesce(t.reversed, 0) AS reversed, coalesce(t.held, 0) AS taken_held, coalesce(t.netted, 0) AS netted, \
            coalesce(t.x_reversed, 0) AS x_reversed, coalesce(t.x_held, 0) AS x_held, coalesce(t.x_netted, 0) AS x_netted \
        FROM commissions c LEFT JOIN posted p ON p.source_id = c.id AND p.currency = c.currency \
        LEFT JOIN posted x ON x.source_id = c.id AND x.currency = c.payout_currency \
        LEFT JOIN taken t ON t.commission_id = c.id \
        WHERE c.organization_id = $1), \
    steps AS (\
        SELECT *, \
            released = amount - taken_held AND x_released = 0 \
                OR exchanged AND released = 0 AND x_released = exchanged_amount - x_held AS is_released, \
            approved = amount - netted AND x_approved = 0 \
                OR exchanged AND approved = 0 AND x_approved = exchanged_amount - x_netted AS is_approved, \
            released = 0 AND x_released = 0 AS is_held, approved = 0 AND x_approved = 0 AS is_unapproved \
        FROM lines) \
    SELECT 'commission' AS noun, id, status || ' of ' || amount || ', but accrued ' || accrued || ', released ' \
        || released || ', approved ' || approved || ', credited ' || credited || ', taken back ' || reversed AS detail \
    FROM steps WHERE reversed <> reversed_amount OR netted <> netted_amount OR x_other <> 0 \
        OR accrued <> (CASE kind WHEN 'accrual' THEN amount ELSE 0 END) \
        OR credited <> (CASE kind WHEN 'credit_note' THEN -amount ELSE 0 END) \
        OR NOT (CASE WHEN kind = 'accrual' AND status IN ('approved', 'in_payout', 'paid') THEN is_approved \
            ELSE is_unapproved END) \
        OR NOT (CASE WHEN kind = 'credit_note' OR status IN ('pending', 'ineligible') THEN is_held \
            WHEN status = 'reversed' THEN (is_held OR is_released) AND netted = amount \
            ELSE is_released END) \
    ORDER BY id LIMIT 1";

/// A line that was exchanged left the one currency and came into the other once, each for what was left in it then; what
/// was taken back from it before adds up with that to the whole, and so does all that was taken back.
const EXCHANGES: &str = "\
    WITH moved AS (\
        SELECT source_id, count(*) FILTER (WHERE kind = 'exchange_out') AS outs, \
            count(*) FILTER (WHERE kind = 'exchange_in') AS ins, \
            sum(amount) FILTER (WHERE kind = 'exchange_out') AS out_amount, \
            sum(amount) FILTER (WHERE kind = 'exchange_in') AS in_amount \
        FROM ledger_entries WHERE organization_id = $1 AND kind IN ('exchange_out', 'exchange_in') GROUP BY source_id), \
    taken AS (\
        SELECT b.commission_id, coalesce(sum(b.exchanged_amount), 0) AS reversed, \
            coalesce(sum(b.exchanged_amount) FILTER (WHERE b.status = 'netted'), 0) AS netted, \
            coalesce(sum(b.amount) FILTER (WHERE e.source_id IS NULL AND b.status = 'netted'), 0) AS earlier, \
            coalesce(sum(b.exchanged_amount) FILTER (WHERE e.source_id IS NULL AND b.status = 'netted'), 0) AS x_earlier \
        FROM clawbacks b LEFT JOIN (\
            SELECT DISTINCT source_id FROM ledger_entries WHERE organization_id = $1 \
                AND kind IN ('clawback_exchange_out', 'clawback_exchange_in')) e ON e.source_id = b.id \
        WHERE b.organization_id = $1 GROUP BY b.commission_id), \
    lines AS (\
        SELECT c.id, c.exchange IS NOT NULL AS exchanged, coalesce(m.outs, 0) AS outs, coalesce(m.ins, 0) AS ins, \
            CASE WHEN c.amount < 0 THEN coalesce(m.in_amount, 0) ELSE coalesce(m.out_amount, 0) END AS gone, \
            CASE WHEN c.amount < 0 THEN coalesce(m.out_amount, 0) ELSE coalesce(m.in_amount, 0) END AS come, \
            abs(c.amount) - coalesce(t.earlier, 0) AS amount, \
            abs(c.exchanged_amount) - coalesce(t.x_earlier, 0) AS exchanged_amount, \
            c.exchanged_reversed, coalesce(t.reversed, 0) AS reversed, c.exchanged_netted, coalesce(t.netted, 0) AS netted, \
            c.exchange->'exchange'->>'from' = c.currency AND c.exchange->'exchange'->>'to' = c.payout_currency AS fits \
        FROM commissions c LEFT JOIN moved m ON m.source_id = c.id LEFT JOIN taken t ON t.commission_id = c.id \
        WHERE c.organization_id = $1 AND (c.exchange IS NOT NULL OR m.source_id IS NOT NULL)) \
    SELECT 'commission' AS noun, id, 'exchanged ' || amount || ' into ' || coalesce(exchanged_amount, 0) || ', but ' || gone \
        || ' left and ' || come || ' came; ' || reversed || ' was taken back' AS detail \
    FROM lines WHERE NOT exchanged OR NOT fits OR outs > 1 OR ins > 1 OR gone <> amount OR come <> exchanged_amount \
        OR exchanged_reversed <> reversed OR exchanged_netted <> netted \
    ORDER BY id LIMIT 1";

/// What was taken back from an exchanged line left both currencies, or was taken before the line was exchanged.
const EXCHANGED_CLAWBACKS: &str = "\
    WITH moved AS (\
        SELECT b.id AS source_id, \
            CASE WHEN b.owed_amount < 0 OR b.amount < 0 THEN -m.in_amount ELSE m.out_amount END AS out_amount, \
            CASE WHEN b.owed_amount < 0 OR b.amount < 0 THEN -m.out_amount ELSE m.in_amount END AS in_amount \
        FROM (SELECT source_id, coalesce(sum(amount) FILTER (WHERE kind = 'clawback_exchange_out'), 0) AS out_amount, \
                coalesce(sum(amount) FILTER (WHERE kind = 'clawback_exchange_in'), 0) AS in_amount \
            FROM ledger_entries WHERE organization_id = $1 \
                AND kind IN ('clawback_exchange_out', 'clawback_exchange_in') GROUP BY source_id) m \
        JOIN clawbacks b ON b.organization_id = $1 AND b.id = m.source_id) \
    SELECT 'clawback' AS noun, b.id, 'takes ' || b.owed_amount || ' ' || b.owed_currency || ' for ' || b.amount || ', but ' \
        || coalesce(m.out_amount, 0) || ' left and ' || coalesce(m.in_amount, 0) || ' came back' AS detail \
    FROM clawbacks b JOIN commissions c ON c.organization_id = $1 AND c.id = b.commission_id \
    LEFT JOIN moved m ON m.source_id = b.id \
    WHERE b.organization_id = $1 AND ((b.exchange IS NULL) <> (c.exchange IS NULL) \
        OR b.exchange IS NULL AND m.source_id IS NOT NULL \
        OR b.exchange IS NOT NULL \
            AND NOT (m.source_id IS NULL AND b.status = 'netted' AND b.created_at <= c.exchanged_at) \
            AND (coalesce(m.out_amount, 0) <> b.exchanged_amount OR coalesce(m.in_amount, 0) <> b.amount)) \
    ORDER BY b.id LIMIT 1";

/// What was exchanged and taken back in full leaves nothing of a line in the clearing of exchanges, in either currency.
const FX_CLEARING: &str = "\
    WITH moved AS (\
        SELECT coalesce(b.commission_id, e.source_id) AS id, e.currency, \
            sum(CASE e.credit_account WHEN 'fx_clearing' THEN e.amount ELSE -e.amount END) AS amount \
        FROM ledger_entries e LEFT JOIN clawbacks b ON b.organization_id = $1 AND b.id = e.source_id \
        WHERE e.organization_id = $1 AND 'fx_clearing' IN (e.debit_account, e.credit_account) GROUP BY 1, 2) \
    SELECT 'commission' AS noun, c.id, 'leaves ' || m.amount || ' ' || m.currency || ' in the clearing of exchanges' \
        AS detail \
    FROM moved m JOIN commissions c ON c.organization_id = $1 AND c.id = m.id \
    WHERE m.amount <> CASE m.currency WHEN c.currency THEN c.amount - c.reversed_amount \
        ELSE c.exchanged_reversed - c.exchanged_amount END \
    ORDER BY c.id LIMIT 1";

/// A line in a payout has one living item in a payout that is under way, a paid one in a payout that is paid.
const PAID_ONCE: &str = "\
    WITH living AS (\
        SELECT i.commission_id, count(*) AS items, min(p.status) AS payout FROM payout_items i \
        JOIN payouts p ON p.organization_id = i.organization_id AND p.id = i.payout_id \
        WHERE i.organization_id = $1 AND i.status = 'live' AND i.commission_id IS NOT NULL GROUP BY i.commission_id) \
    SELECT 'commission' AS noun, c.id, c.status || ', but in ' || coalesce(l.items, 0) || ' living payouts (' \
        || coalesce(l.payout, 'none') || ')' AS detail \
    FROM commissions c LEFT JOIN living l ON l.commission_id = c.id \
    WHERE c.organization_id = $1 AND NOT (CASE c.status \
        WHEN 'in_payout' THEN coalesce(l.items, 0) = 1 AND l.payout IN ('pending', 'processing') \
        WHEN 'paid' THEN coalesce(l.items, 0) = 1 AND l.payout = 'paid' ELSE l.items IS NULL END) \
    ORDER BY c.id LIMIT 1";

/// What takes so little that nothing is left of it in the currency of the invoice posts nothing there.
const CLAWBACKS: &str = "\
    WITH posted AS (\
        SELECT source_id, sum(CASE kind WHEN 'clawback' THEN amount ELSE -amount END) AS amount, \
            min(CASE kind WHEN 'clawback' THEN debit_account ELSE credit_account END) AS account FROM ledger_entries \
        WHERE organization_id = $1 AND kind IN ('clawback', 'reinstatement') GROUP BY source_id), \
    living AS (\
        SELECT i.clawback_id, count(*) AS items, min(p.status) AS payout FROM payout_items i \
        JOIN payouts p ON p.organization_id = i.organization_id AND p.id = i.payout_id \
        WHERE i.organization_id = $1 AND i.status = 'live' AND i.clawback_id IS NOT NULL GROUP BY i.clawback_id) \
    SELECT 'clawback' AS noun, c.id, c.status || ' of ' || c.amount || ', but posted ' || coalesce(p.amount, 0) \
        || ' from ' || coalesce(p.account, 'nowhere') || ' and in ' || coalesce(l.items, 0) || ' living payouts' \
        AS detail \
    FROM clawbacks c LEFT JOIN posted p ON p.source_id = c.id LEFT JOIN living l ON l.clawback_id = c.id \
    WHERE c.organization_id = $1 AND (coalesce(p.amount, 0) <> c.amount \
        OR c.amount <> 0 AND p.account IS DISTINCT FROM c.taken_from \
        OR NOT (CASE c.status \
            WHEN 'in_payout' THEN coalesce(l.items, 0) = 1 AND l.payout IN ('pending', 'processing') \
            WHEN 'paid' THEN coalesce(l.items, 0) = 1 AND l.payout = 'paid' ELSE l.items IS NULL END)) \
    ORDER BY c.id LIMIT 1";

/// An approved adjustment has one entry of its amount, any other none; and it is in payouts as it says.
const ADJUSTMENTS: &str = "\
    WITH posted AS (\
        SELECT source_id, count(*) AS entries, \
            sum(CASE kind WHEN 'adjustment_down' THEN -amount ELSE amount END) AS amount FROM ledger_entries \
        WHERE organization_id = $1 AND kind IN ('adjustment_up', 'adjustment_down', 'write_off') GROUP BY source_id), \
    living AS (\
        SELECT i.adjustment_id, count(*) AS items, min(p.status) AS payout FROM payout_items i \
        JOIN payouts p ON p.organization_id = i.organization_id AND p.id = i.payout_id \
        WHERE i.organization_id = $1 AND i.status = 'live' AND i.adjustment_id IS NOT NULL GROUP BY i.adjustment_id) \
    SELECT 'adjustment' AS noun, a.id, a.status || ' of ' || a.amount || ', but posted ' || coalesce(p.amount, 0) \
        || ' in ' || coalesce(p.entries, 0) || ' entries and in ' || coalesce(l.items, 0) || ' living payouts' AS detail \
    FROM adjustments a LEFT JOIN posted p ON p.source_id = a.id LEFT JOIN living l ON l.adjustment_id = a.id \
    WHERE a.organization_id = $1 AND NOT (coalesce(a.amount <= a.debt, true) AND \
        CASE WHEN a.status IN ('approved', 'in_payout', 'paid') THEN coalesce(p.entries, 0) = 1 AND p.amount = a.amount \
            ELSE p.entries IS NULL END \
        AND CASE a.status \
            WHEN 'in_payout' THEN coalesce(l.items, 0) = 1 AND l.payout IN ('pending', 'processing') \
            WHEN 'paid' THEN coalesce(l.items, 0) = 1 AND l.payout = 'paid' ELSE l.items IS NULL END) \
    ORDER BY a.id LIMIT 1";

/// Each line of a dispute is frozen once, for as much as it says, and thawed for the same when the dispute is over.
const DISPUTES: &str = "\
    WITH posted AS (\
        SELECT source_id, step, sum(amount) FILTER (WHERE kind = 'freeze') AS frozen, \
            sum(amount) FILTER (WHERE kind = 'thaw') AS thawed FROM ledger_entries \
        WHERE organization_id = $1 AND kind IN ('freeze', 'thaw') GROUP BY source_id, step) \
    SELECT 'dispute' AS noun, coalesce(l.dispute_id, p.source_id) AS id, coalesce(d.status, 'no') || ', line ' \
        || coalesce(l.position, p.step) || ' of ' || coalesce(l.frozen_amount, 0) || ', but frozen ' \
        || coalesce(p.frozen, 0) || ' and thawed ' || coalesce(p.thawed, 0) AS detail \
    FROM (SELECT * FROM dispute_lines WHERE organization_id = $1) l \
    JOIN disputes d ON d.organization_id = $1 AND d.id = l.dispute_id \
    FULL JOIN posted p ON p.source_id = l.dispute_id AND p.step = l.position \
    WHERE coalesce(p.frozen, 0) <> coalesce(l.frozen_amount, 0) \
        OR coalesce(p.thawed, 0) <> (CASE WHEN d.status IN ('open', 'in_review', 'needs_information') THEN 0 \
            ELSE coalesce(l.frozen_amount, 0) END) \
    ORDER BY 2, l.position LIMIT 1";

/// What lies on the account is what approved lines come to that a living dispute holds up, computed from the lines.
const DISPUTED: &str = "\
    SELECT 'partner' AS noun, partner_id AS id, currency || ' in the program ' || program_id \
        || ' has disputed what is off by ' || sum(amount) AS detail FROM (\
        SELECT partner_id, program_id, currency, CASE kind WHEN 'freeze' THEN amount ELSE -amount END AS amount \
        FROM ledger_entries WHERE organization_id = $1 AND kind IN ('freeze', 'thaw') \
        UNION ALL SELECT partner_id, program_id, owed_currency, owed_netted - owed_amount FROM commissions \
        WHERE organization_id = $1 AND dispute_id IS NOT NULL AND kind = 'accrual' AND status = 'approved') sides \
    GROUP BY partner_id, program_id, currency HAVING sum(amount) <> 0 ORDER BY 2, program_id, currency LIMIT 1";

/// A commission is held up by a dispute exactly while that is living and about it.
const HELD_UP: &str = "\
    SELECT 'commission' AS noun, coalesce(c.id, l.commission_id) AS id, 'held up by ' \
        || coalesce(c.dispute_id::text, 'nothing') || ', but disputed in ' || coalesce(l.dispute_id::text, 'none') \
        AS detail \
    FROM (SELECT id, dispute_id FROM commissions WHERE organization_id = $1 AND dispute_id IS NOT NULL) c \
    FULL JOIN (\
        SELECT l.commission_id, l.dispute_id FROM dispute_lines l \
        JOIN disputes d ON d.organization_id = $1 AND d.id = l.dispute_id \
            AND d.status IN ('open', 'in_review', 'needs_information') \
        WHERE l.organization_id = $1) l ON l.commission_id = c.id AND l.dispute_id = c.dispute_id \
    WHERE c.id IS NULL OR l.commission_id IS NULL ORDER BY 2 LIMIT 1";

/// Where partners stand under rules that count is what their lines posted, less what was taken back, in each period.
const STANDINGS: &str = "\
    WITH lines AS (\
        SELECT v.commission_rule_id, c.partner_id, c.currency, c.amount - c.reversed_amount AS posted, \
            c.explanation->'entitlement'->'progress'->'before'->>'tier_period' AS tier_period, \
            c.explanation->'entitlement'->'progress'->'before'->>'cap_period' AS cap_period \
        FROM commissions c JOIN commission_rule_versions v ON v.organization_id = $1 AND v.id = c.rule_version_id \
        WHERE c.organization_id = $1 AND c.explanation->'entitlement'->'progress' IS NOT NULL), \
    sums AS (\
        SELECT commission_rule_id, partner_id, currency, period, sum(posted) AS posted FROM (\
            SELECT commission_rule_id, partner_id, currency, tier_period AS period, posted FROM lines \
            UNION ALL SELECT commission_rule_id, partner_id, currency, cap_period, posted FROM lines \
            WHERE cap_period IS DISTINCT FROM tier_period) each \
        WHERE period IS NOT NULL GROUP BY 1, 2, 3, 4) \
    SELECT 'commission_rule' AS noun, coalesce(s.commission_rule_id, n.commission_rule_id) AS id, \
        'stands at ' || coalesce(n.posted, 0) || ' in ' || coalesce(n.period, s.period) || ', but its lines are ' \
        || coalesce(s.posted, 0) AS detail \
    FROM (SELECT * FROM commission_standings WHERE organization_id = $1) n \
    FULL JOIN sums s ON s.commission_rule_id = n.commission_rule_id AND s.partner_id = n.partner_id \
        AND s.currency = n.currency AND s.period = n.period \
    WHERE coalesce(n.posted, 0) <> coalesce(s.posted, 0) ORDER BY 2 LIMIT 1";

const STANDING_CORRECTIONS: &str = "\
    SELECT 'commission_rule' AS noun, s.commission_rule_id AS id, 'has corrections of ' || s.corrected || ' in ' \
        || s.period || ', but they are ' || coalesce(c.amount, 0) AS detail \
    FROM commission_standings s LEFT JOIN (\
        SELECT commission_rule_id, partner_id, currency, period, sum(amount) AS amount \
        FROM commission_standing_corrections WHERE organization_id = $1 GROUP BY 1, 2, 3, 4) c \
        USING (commission_rule_id, partner_id, currency, period) \
    WHERE s.organization_id = $1 AND s.corrected <> coalesce(c.amount, 0) ORDER BY 2 LIMIT 1";

const PAYOUT_ITEMS: &str = "\
    SELECT 'payout' AS noun, p.id, p.amount || ', but its items are ' || coalesce(i.amount, 0) AS detail \
    FROM payouts p LEFT JOIN (\
        SELECT payout_id, sum(amount) AS amount FROM payout_items WHERE organization_id = $1 GROUP BY payout_id) i \
    ON i.payout_id = p.id \
    WHERE p.organization_id = $1 AND p.amount <> coalesce(i.amount, 0) ORDER BY p.id LIMIT 1";

/// A payout is set aside when its run is approved, and then confirmed, failed, returned or cancelled, each once.
const PAYOUTS: &str = "\
    WITH posted AS (\
        SELECT source_id, sum(amount) FILTER (WHERE kind = 'reserve') AS reserved, \
            sum(amount) FILTER (WHERE kind = 'reserve_cancelled') AS cancelled, \
            sum(amount) FILTER (WHERE kind = 'payout_paid') AS paid, \
            sum(amount) FILTER (WHERE kind = 'payout_failed') AS failed, \
            sum(amount) FILTER (WHERE kind = 'payout_returned') AS returned \
        FROM ledger_entries WHERE organization_id = $1 AND kind IN ('reserve', 'reserve_cancelled', 'payout_paid', \
            'payout_failed', 'payout_returned') GROUP BY source_id), \
    lines AS (\
        SELECT p.id, p.status, p.amount, r.status AS run, coalesce(l.reserved, 0) AS reserved, \
            coalesce(l.cancelled, 0) AS cancelled, coalesce(l.paid, 0) AS paid, coalesce(l.failed, 0) AS failed, \
            coalesce(l.returned, 0) AS returned \
        FROM payouts p JOIN payout_runs r ON r.organization_id = p.organization_id AND r.id = p.payout_run_id \
        LEFT JOIN posted l ON l.source_id = p.id WHERE p.organization_id = $1) \
    SELECT 'payout' AS noun, id, status || ' of ' || amount || ', but reserved ' || reserved || ', cancelled ' \
        || cancelled || ', paid ' || paid || ', failed ' || failed || ', returned ' || returned AS detail \
    FROM lines WHERE reserved <> (CASE WHEN status = 'cancelled' THEN cancelled \
            WHEN status = 'pending' AND run = 'draft' THEN 0 ELSE amount END) \
        OR cancelled NOT IN (0, amount) OR (cancelled <> 0 AND status <> 'cancelled') \
        OR paid <> (CASE WHEN status IN ('paid', 'returned') THEN amount ELSE 0 END) \
        OR failed <> (CASE status WHEN 'failed' THEN amount ELSE 0 END) \
        OR returned <> (CASE status WHEN 'returned' THEN amount ELSE 0 END) \
    ORDER BY id LIMIT 1";

/// A payout that the service pays itself has a transfer from when it begins to be paid, which says the same.
const TRANSFERS: &str = "\
    SELECT 'payout' AS noun, p.id, p.status || ' on the rail ' || r.rail || ', but its transfer is ' \
        || coalesce(t.status, 'missing') AS detail \
    FROM payouts p JOIN payout_runs r ON r.organization_id = p.organization_id AND r.id = p.payout_run_id \
    LEFT JOIN payout_transfers t ON t.organization_id = p.organization_id AND t.payout_id = p.id \
    WHERE p.organization_id = $1 AND NOT CASE \
        WHEN r.rail <> 'stripe' OR p.status IN ('pending', 'cancelled') THEN t.payout_id IS NULL \
        ELSE coalesce(CASE t.status \
            WHEN 'made' THEN p.status IN ('paid', 'returned') AND p.reference = t.transfer_id \
            WHEN 'refused' THEN p.status = 'failed' \
            WHEN 'closed' THEN p.status IN ('paid', 'failed', 'returned') \
            ELSE p.status = 'processing' END, false) END \
    ORDER BY p.id LIMIT 1";

/// The numbers run from 1 to the last one given.
const EVENTS: &str = "\
    SELECT 'events' AS noun, NULL::uuid AS id, 'the number ' || expected || ' is missing' AS detail FROM (\
        SELECT expected, number FROM (\
            SELECT row_number() OVER (ORDER BY sequence) AS expected, sequence AS number FROM events \
            WHERE organization_id = $1 AND sequence IS NOT NULL) numbered \
        UNION ALL SELECT (SELECT count(*) FROM events WHERE organization_id = $1 AND sequence IS NOT NULL) + 1, \
            last_sequence + 1 FROM event_counters WHERE organization_id = $1) numbers \
    WHERE number <> expected ORDER BY expected LIMIT 1";
