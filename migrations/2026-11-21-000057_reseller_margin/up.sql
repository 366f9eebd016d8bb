-- What a line costs by the price list, before what a reseller keeps of it: the difference is its margin, which is a price
-- and nothing that anybody is paid.
ALTER TABLE invoice_lines
    ADD COLUMN list_amount numeric(19, 4),
    ADD CONSTRAINT invoice_lines_list_check CHECK (list_amount >= net_amount);
CREATE INDEX invoice_lines_list_index ON invoice_lines (organization_id, invoice_id) WHERE list_amount IS NOT NULL;
