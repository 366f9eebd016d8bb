DROP TABLE commission_standings;
ALTER TABLE invoice_lines DROP COLUMN cost_amount;
ALTER TABLE invoice_lines DROP COLUMN quantity;
ALTER TABLE invoice_lines DROP COLUMN kind;
ALTER TABLE invoices DROP COLUMN service_starts_on;
ALTER TABLE commission_rule_versions DROP COLUMN clauses;
