DROP INDEX invoice_lines_list_index;
ALTER TABLE invoice_lines DROP CONSTRAINT invoice_lines_list_check, DROP COLUMN list_amount;
