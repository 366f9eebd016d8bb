-- What the service wrote, in the words of what was reckoned, and where the two differ.
CREATE VIEW reckoned.posted AS
SELECT g.external_id AS program, substring(coalesce(i.external_id, k.external_id) FROM '[0-9]+$')::integer AS line_id,
    p.external_id AS partner, date_trunc('quarter', c.earned_at AT TIME ZONE 'Europe/London')::date AS quarter, c.amount
FROM commissions c
JOIN programs g ON g.organization_id = c.organization_id AND g.id = c.program_id
JOIN partners p ON p.organization_id = c.organization_id AND p.id = c.partner_id
LEFT JOIN invoices i ON i.organization_id = c.organization_id AND i.id = c.invoice_id
LEFT JOIN credit_notes k ON k.organization_id = c.organization_id AND k.id = c.credit_note_id;

CREATE VIEW reckoned.runs AS
SELECT p.external_id AS partner, date_trunc('month', r.cut_off_at AT TIME ZONE 'UTC')::date AS month, n.paid, n.carried
FROM (
    SELECT organization_id, payout_run_id, partner_id, amount AS paid, 0 AS carried FROM payouts WHERE status = 'paid'
    UNION ALL
    SELECT organization_id, payout_run_id, partner_id, 0, amount FROM payout_carry_forwards) AS n
JOIN payout_runs r ON r.organization_id = n.organization_id AND r.id = n.payout_run_id
JOIN partners p ON p.organization_id = n.organization_id AND p.id = n.partner_id;

CREATE VIEW reckoned.differences AS
SELECT 'quarterly' AS shape, concat_ws(' ', 'line', line_id, partner, r.amount, s.amount) AS name
FROM reckoned.quarterly r
FULL JOIN (SELECT line_id, partner, sum(amount) AS amount FROM reckoned.posted WHERE program = 'g-cloud-quarterly'
    GROUP BY line_id, partner) AS s USING (line_id, partner)
WHERE r.amount IS DISTINCT FROM s.amount
UNION ALL
SELECT 'quarterly', concat_ws(' ', 'quarter', quarter, partner, r.amount, s.amount)
FROM reckoned.quarters r
FULL JOIN (SELECT quarter, partner, sum(amount) AS amount FROM reckoned.posted WHERE program = 'g-cloud-quarterly'
    GROUP BY quarter, partner) AS s USING (quarter, partner)
WHERE r.amount IS DISTINCT FROM s.amount
UNION ALL
SELECT 'split', concat_ws(' ', 'line', line_id, partner, r.amount, s.amount)
FROM reckoned.split r
FULL JOIN (SELECT line_id, partner, sum(amount) AS amount FROM reckoned.posted WHERE program = 'g-cloud-split'
    GROUP BY line_id, partner) AS s USING (line_id, partner)
WHERE r.amount IS DISTINCT FROM s.amount
UNION ALL
SELECT 'threshold', concat_ws(' ', 'run', month, partner, r.paid, s.paid, 'carried', r.carried, s.carried)
FROM (SELECT * FROM reckoned.threshold WHERE paid <> 0 OR carried <> 0) AS r
FULL JOIN (SELECT * FROM reckoned.runs WHERE paid <> 0 OR carried <> 0) AS s USING (month, partner)
WHERE (r.paid, r.carried) IS DISTINCT FROM (s.paid, s.carried);
