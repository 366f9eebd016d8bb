-- The work of accrual as one statement: lines with explanations, their postings and their events, and how far the partners
-- have come where the terms ask for it.
WITH paid AS (
    SELECT row_number() OVER (ORDER BY p.paid_at, p.id) AS number, p.id AS payment_id, p.invoice_id,
        l.id AS invoice_line_id, i.deal_id, d.program_id, a.partner_id, a.id AS attribution_id, a.role, i.currency,
        l.net_amount AS net, i.total_amount, p.cumulative_amount - p.amount AS paid_before,
        p.cumulative_amount AS paid_after, p.paid_at, v.id AS rule_version_id, r.id AS rule_id, a.share_basis_points AS share,
        {counted}
    FROM payments p
    JOIN invoices i ON i.organization_id = p.organization_id AND i.id = p.invoice_id
    JOIN invoice_lines l ON l.organization_id = p.organization_id AND l.invoice_id = i.id
    JOIN deals d ON d.organization_id = p.organization_id AND d.id = i.deal_id
    JOIN attributions a ON a.organization_id = p.organization_id AND a.deal_id = d.id AND a.status = 'confirmed'
    JOIN partners n ON n.organization_id = p.organization_id AND n.id = a.partner_id AND n.status = 'approved'
    JOIN commission_rules r ON r.organization_id = p.organization_id AND r.program_id = d.program_id
    JOIN commission_rule_versions v ON v.organization_id = p.organization_id AND v.commission_rule_id = r.id
        AND v.status = 'active' AND v.effective_from <= d.won_at
    WHERE p.organization_id = '{organization}' AND d.status = 'won'
        AND EXISTS (SELECT FROM enrollments e WHERE e.organization_id = p.organization_id
            AND e.partner_id = a.partner_id AND e.program_id = d.program_id AND e.status = 'active')
        AND NOT EXISTS (SELECT FROM commissions c WHERE c.organization_id = p.organization_id
            AND c.payment_id = p.id AND c.invoice_line_id = l.id AND c.attribution_id = a.id)
), source AS MATERIALIZED (
    SELECT *, {amount} AS amount FROM paid
), {standings}earned AS (
    INSERT INTO commissions (organization_id, id, kind, partner_id, program_id, deal_id, attribution_id, role,
        component, invoice_id, invoice_line_id, payment_id, rule_version_id, status, currency, base_amount, amount,
        reversed_amount, netted_amount, earned_at, release_at, approved_at, explanation, row_version, created_at,
        updated_at)
    SELECT '{organization}', ('01990000-0000-7001-8000-' || lpad(to_hex(number), 12, '0'))::uuid, 'accrual', partner_id,
        program_id, deal_id, attribution_id, role, 'base', invoice_id, invoice_line_id, payment_id, rule_version_id,
        'approved', currency, net, amount, 0, 0, paid_at, paid_at, now(),
        '{explanation}'::jsonb || jsonb_build_object('net', net::text, 'invoice_total', total_amount::text,
            'paid_before', paid_before::text, 'paid_after', paid_after::text, 'amount', amount::text),
        1, now(), now()
    FROM source
), posted AS (
    INSERT INTO ledger_entries (organization_id, id, kind, source_id, step, debit_account, credit_account, partner_id,
        program_id, currency, amount, occurred_at, recorded_at)
    SELECT '{organization}', ('01990000-0000-7002-8000-' || lpad(to_hex(3 * number + m.step), 12, '0'))::uuid, m.kind,
        ('01990000-0000-7001-8000-' || lpad(to_hex(number), 12, '0'))::uuid, 0, m.debit, m.credit, partner_id,
        program_id, currency, amount, paid_at, now()
    FROM source, (VALUES (0, 'accrual', 'commission_expense', 'held'), (1, 'hold_release', 'held', 'released'),
        (2, 'approval', 'released', 'payable')) AS m (step, kind, debit, credit)
)
INSERT INTO events (organization_id, id, type, subject_type, subject_id, partner_id, data, occurred_at)
SELECT '{organization}', ('01990000-0000-7003-8000-' || lpad(to_hex(number), 12, '0'))::uuid, 'commission.accrued',
    'commission', ('01990000-0000-7001-8000-' || lpad(to_hex(number), 12, '0'))::uuid, partner_id,
    jsonb_build_object('deal_id', deal_id, 'program_id', program_id, 'status', 'approved', 'ineligible_reason', NULL,
        'amount', amount::text, 'currency', currency),
    now()
FROM source
